import { describe, expect, it } from "vitest";
import { respawnAgent, spawnAgent, startAgent } from "../../support/agents/agent.ts";
import { isLetIn, PeerAgent } from "../../support/agents/peerAgent.ts";
import type { RunningBackend } from "../../support/backend/backend.ts";
import { startBackend } from "../../support/backend/backend.ts";
import { agentOf, FLEET, makeFleet } from "../../support/backend/fleet.ts";
import { spawnBackend } from "../../support/backend/spawnBackend.ts";
import { eventually } from "../../support/eventually.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";

const HOST = "host-1";
const GO_HOST = "machine-1";
const params = { authId: FLEET };
const host = { clientId: HOST };
const goHost = { clientId: GO_HOST };
const BACK_MS = 15_000;

/** A backend with our agent and with RPort's own, both on the credential's shared password. */
async function mixedFleet(backend: RunningBackend, stack: AsyncDisposableStack) {
  const password = await makeFleet({ call: backend.api });
  const own = stack.use(await startAgent(agentOf(backend, password, HOST)));
  await own.online();
  const url = backend.url.replace(/^http/, "ws");
  const peer = stack.use(await PeerAgent.join({ url, user: FLEET, password }));
  return { password, own, peer, url };
}

async function statesOf({ api }: Pick<RunningBackend, "api">): Promise<Record<string, string>> {
  const { clients } = await api("getRotation", { params });
  return Object.fromEntries(clients.map(({ id, state }) => [id, state]));
}

describe("a rotation over the REST API, with real agents", () => {
  it("shows where each host stands, and ends when told to", async () => {
    await using backend = await startBackend();
    await using stack = new AsyncDisposableStack();
    const { password, peer } = await mixedFleet(backend, stack);
    const body = { grace_seconds: 3_600 };
    const preview = await backend.api("rotateCredential", {
      params,
      body,
      query: { dry_run: "true" },
    });
    expect(preview).toMatchObject({ total: 2, moved: 0, stragglers: 1, unmovable: [GO_HOST] });
    expect((await backend.api("getCredential", { params })).rotation).toBeNull();
    await backend.api("rotateCredential", { params, body });
    await eventually(async () => {
      expect(await statesOf(backend)).toEqual({ [HOST]: "done", [GO_HOST]: "straggler" });
    });
    const states = async () => {
      const [one, other] = [host, goHost].map((of) => backend.api("getClient", { params: of }));
      return [(await one)?.rotation_state, (await other)?.rotation_state];
    };
    expect(await states()).toEqual([null, "straggler"]);
    const finish = { params, query: { dry_run: "true" } };
    const hit = await backend.api("finishRotation", finish);
    expect(hit).toMatchObject({ disconnected: 1, clients: [{ id: GO_HOST }], offline: [] });
    expect(await backend.api("finishRotation", { params })).toEqual(hit);
    await peer.closed;
    expect(await isLetIn({ url: backend.url, user: FLEET, password })).toBe(false);
    expect(await backend.api("getClient", { params: host })).toMatchObject({
      connection_state: "connected",
      secret: { state: "active", origin: "rotation" },
    });
    const audited = await backend.api("listAudit", {
      query: { "filter[application]": "client.auth.rotation" },
    });
    expect(audited.map(({ action }) => action)).toEqual(["finish"]);
  });

  it("is taken back, and the old secret is good again", async () => {
    await using backend = await startBackend();
    await using stack = new AsyncDisposableStack();
    const { password, own } = await mixedFleet(backend, stack);
    await backend.api("rotateCredential", { params, body: { grace_seconds: 3_600 } });
    await eventually(async () => expect(await statesOf(backend)).toMatchObject({ [HOST]: "done" }));
    await backend.api("cancelRotation", { params });
    expect(await backend.api("getRotation", { params })).toEqual({
      rotation: null,
      clients: [],
    });
    expect(await isLetIn({ url: backend.url, user: FLEET, password })).toBe(true);
    expect(own.agent.state.kind).toBe("online");
    const again = await backend.raw("DELETE", `/clients-auth/${FLEET}/rotation`);
    expect(again.status).toBe(409);
  });
});

describe("revocation over the REST API, with real agents", () => {
  it("of one host: cut, refused with a reason, let in again when allowed", async () => {
    await using backend = await startBackend();
    await using stack = new AsyncDisposableStack();
    const { peer, url, password } = await mixedFleet(backend, stack);
    const preview = await backend.api("revokeClient", {
      params: goHost,
      query: { dry_run: "true" },
    });
    expect(await backend.api("revokeClient", { params: goHost })).toEqual(preview);
    await peer.closed;
    expect((await backend.api("getClient", { params: goHost })).revoked_at).not.toBeNull();
    const login = { url, user: FLEET, password };
    await expect(PeerAgent.join(login)).rejects.toThrow(/client was revoked/);
    expect((await backend.api("getClient", { params: host })).connection_state).toBe("connected");
    await backend.api("allowClient", { params: goHost });
    stack.use(await PeerAgent.join(login));
    expect((await backend.api("getClient", { params: goHost })).revoked_at).toBeNull();
  });

  it("of one secret, and the removal of a record: the dry run is what then happens", async () => {
    await using backend = await startBackend();
    await using stack = new AsyncDisposableStack();
    const { peer } = await mixedFleet(backend, stack);
    await backend.api("rotateCredential", { params, body: { grace_seconds: 3_600 } });
    await eventually(async () => expect(await statesOf(backend)).toMatchObject({ [HOST]: "done" }));
    const { secret } = await backend.api("getClient", { params: host });
    const one = { params: { ...params, secretId: secret?.id ?? "" } };
    const preview = await backend.api("revokeSecret", { ...one, query: { dry_run: "true" } });
    expect(preview).toMatchObject({ disconnected: 1, clients: [{ id: HOST }] });
    const report = await backend.api("revokeSecret", { ...one, query: { report: "true" } });
    expect(report).toEqual(preview);
    await eventually(async () => {
      const { connection_state: state } = await backend.api("getClient", { params: host });
      expect(state).toBe("disconnected");
    });
    peer.close();
    await eventually(async () => {
      const { connection_state: state } = await backend.api("getClient", { params: goHost });
      expect(state).toBe("disconnected");
    });
    const forget = { params: goHost, query: { dry_run: "true" } };
    expect(await backend.api("deleteClient", forget)).toMatchObject({ offline: [GO_HOST] });
    expect(await backend.api("deleteClient", { params: goHost })).toBeUndefined();
    expect(await backend.raw("GET", `/clients/${GO_HOST}`)).toMatchObject({ status: 404 });
  });
});

describe("the life of a credential over the REST API", () => {
  it("changes it, and purges those that nobody uses", async () => {
    await using backend = await startBackend();
    await makeFleet({ call: backend.api });
    const body = { label: "Fleet", kind: "host" as const, limits: { max_clients: 3 } };
    const changed = await backend.api("updateCredential", { params, body });
    expect(changed).toMatchObject({ label: "Fleet", kind: "host", limits: { max_clients: 3 } });
    const wrong = await backend.raw("PATCH", `/clients-auth/${FLEET}`, { body: { nonsense: 1 } });
    expect(wrong.status).toBe(400);
    const preview = await backend.api("purgeUnused", { body: { dry_run: true } });
    expect(preview.credentials).toContain(FLEET);
    expect(await backend.api("purgeUnused", { body: {} })).toEqual(preview);
    expect(await backend.api("listCredentials")).toEqual([]);
    const audited = await backend.api("listAudit", {
      query: { "filter[application]": "client.auth" },
    });
    const actions = audited.map(({ action }) => action);
    expect(actions).toEqual(["create", "update", "delete", "delete", "purge"]);
  });
});

it("a purge of more credentials than a list of an entry holds has an entry for each of them", async () => {
  await using backend = await startBackend();
  const ids = Array.from({ length: 71 }, (_, n) => `unused-${100 + n}`);
  for (const id of ids) await backend.api("createCredential", { body: { id } });
  const purged = await backend.api("purgeUnused", { body: {} });
  expect(purged).toMatchObject({ credentials: expect.arrayContaining(ids), failed: [] });
  const total = purged.credentials.length;
  const about = async (action: string) =>
    await backend.api("listAudit", {
      query: {
        "filter[application]": "client.auth",
        "filter[action]": action,
        sort: "timestamp",
        "page[limit]": "100",
      },
    });
  const deleted = await about("delete");
  expect(deleted.map(({ affected_id: id }) => id)).toEqual(purged.credentials);
  const [purge] = await about("purge");
  const response = JSON.parse(purge?.response ?? "");
  expect(response).toMatchObject({ removed: total, failed: 0, credentials_total: total });
  expect(response.credentials).toHaveLength(64);
});

describe("S-32: real processes are killed while a credential rotates", () => {
  it("the server right after the answer: it still knows who stands where", async () => {
    await using temp = await tempDirectory();
    await using stack = new AsyncDisposableStack();
    const first = stack.use(await spawnBackend(temp.path));
    const password = await makeFleet(first.api);
    const agent = stack.use(await spawnAgent(agentOf(first.endpoint, password, HOST)));
    await eventually(async () => {
      const { connection_state: state } = await first.api.call("getClient", { params: host });
      expect(state).toBe("connected");
    }, BACK_MS);
    agent.signal("SIGKILL");
    await agent.ended;
    await first.api.call("rotateCredential", { params, body: { grace_seconds: null } });
    await first.kill();
    const { port } = new URL(first.endpoint.url);
    const second = stack.use(await spawnBackend(temp.path, ["--port", port]));
    const shown = await second.api.call("getRotation", { params });
    expect(shown.clients).toMatchObject([{ id: HOST, connected: false, state: "pending" }]);
    stack.use(respawnAgent(agent));
    await eventually(async () => {
      const { rotation } = await second.api.call("getRotation", { params });
      expect(rotation).toBeNull();
    }, BACK_MS);
    expect(await isLetIn({ url: second.endpoint.url, user: FLEET, password })).toBe(false);
  });
});
