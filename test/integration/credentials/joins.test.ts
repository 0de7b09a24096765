import { describe, expect, it } from "vitest";
import type { Face } from "../../../backend/src/place.ts";
import { startAgent } from "../../support/agents/agent.ts";
import { PeerAgent } from "../../support/agents/peerAgent.ts";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";
import type { EventStream } from "../../support/backend/eventStream.ts";
import { agentOf } from "../../support/backend/fleet.ts";
import { endOf, oneJoin } from "../../support/backend/joins.ts";
import { FakeClock } from "../../support/clock.ts";
import { eventually } from "../../support/eventually.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";

const FLEET = "fleet";
const params = { authId: FLEET };

/** A credential whose new clients wait; answers with what its hosts sign in with. */
async function makeGuarded({ api, url }: RunningBackend, limits = {}) {
  const body = { id: FLEET, limits: { approval: true, ...limits } };
  const { password } = await api("createCredential", { body });
  return { url: url.replace("http", "ws"), user: FLEET, password };
}

describe("first joins that wait for approval", () => {
  it("are listed and told live, let in when approved, and known from then on", async () => {
    await using backend = await startBackend();
    const login = await makeGuarded(backend);
    using events = backend.events();
    expect((await events.snapshot()).joins).toEqual([]);
    await using agent = await PeerAgent.signIn(login);
    const end = endOf(agent.introduce());
    const join = await oneJoin(backend);
    expect(join).toMatchObject({
      credential_id: FLEET,
      client_id: "machine-1",
      name: "web01",
      address: "127.0.0.1",
      hostname: "web01.example.com",
      os_full_name: "Debian 12.5",
    });
    expect(Date.parse(join.expires_at) - Date.parse(join.at)).toBeCloseTo(600_000, -3);
    const told = (isOver: boolean) =>
      events.until((messages) =>
        messages
          .flatMap((message) => (message.type === "delta" ? message.changes : []))
          .find((one) => one.entity === "join" && (one.value === null) === isOver),
      );
    expect(await told(false)).toMatchObject({ id: join.id, value: join });
    expect(await backend.api("listClients")).toEqual([]);

    const joinParams = { joinId: join.id };
    expect(await backend.api("approveJoin", { params: joinParams })).toEqual(join);
    expect(await end).toBe("in");
    expect(await told(true)).toMatchObject({ id: join.id });
    expect(await backend.api("listJoins")).toEqual([]);
    const again = await backend.raw("POST", `/joins/${join.id}/approve`);
    expect(again.status).toBe(404);
    const audit = await backend.api("listAudit", {
      query: { "filter[application]": "client.join" },
    });
    expect(audit).toMatchObject([
      {
        action: "approve",
        affected_id: FLEET,
        client_id: "machine-1",
        username: "local",
        client_hostname: "web01.example.com",
      },
    ]);

    agent.close();
    await agent.closed;
    await using _known = await PeerAgent.join(login);
    expect(await backend.api("listJoins")).toEqual([]);
  });

  it("are turned away when denied, and not asked about again soon", async () => {
    await using backend = await startBackend();
    const login = await makeGuarded(backend);
    await using agent = await PeerAgent.signIn(login);
    const end = endOf(agent.introduce());
    const { id: joinId } = await oneJoin(backend);
    await backend.api("denyJoin", { params: { joinId } });
    expect(await end).toMatch(/not approved/);
    expect(await endOf(PeerAgent.join(login))).toMatch(/not approved/);
    expect(await backend.api("listJoins")).toEqual([]);
    expect(await backend.api("listClients")).toEqual([]);
    expect(await backend.api("listRefusals")).toMatchObject([
      { reason: "not-approved", client_id: "machine-1", count: 2 },
    ]);
    const audit = await backend.api("listAudit", {
      query: { "filter[application]": "client.join" },
    });
    expect(audit).toMatchObject([{ action: "deny", client_id: "machine-1" }]);
  });

  it("C-36: end at once when the credential is deleted, and do not slip in", async () => {
    await using backend = await startBackend();
    const login = await makeGuarded(backend);
    await using agent = await PeerAgent.signIn(login);
    const end = endOf(agent.introduce());
    await oneJoin(backend);
    await backend.api("deleteCredential", { params });
    expect(await end).not.toBe("in");
    await agent.closed;
    expect(await backend.api("listJoins")).toEqual([]);
    expect(await backend.api("listClients")).toEqual([]);
  });
});

/** `entity: credential` events that a watcher got. */
const credentialEvents = ({ messages }: EventStream) =>
  messages
    .flatMap((message) => (message.type === "delta" ? message.changes : []))
    .filter((change) => change.entity === "credential");

describe("an agent of ours that waits for approval", () => {
  it("is held, says so, and is in within moments of the approval", async () => {
    await using backend = await startBackend();
    const { password } = await makeGuarded(backend);
    await using agent = await startAgent(agentOf(backend, password, "own-1"));
    const { id: joinId } = await oneJoin(backend);
    await eventually(() => {
      expect(agent.lines.join("")).toContain("waits for approval on the server");
    });
    expect(agent.agent.state.kind).toBe("dialling");
    await backend.api("approveJoin", { params: { joinId } });
    await agent.online();
    const client = await backend.api("getClient", { params: { clientId: "own-1" } });
    expect(client).toMatchObject({ connection_state: "connected", client_auth_id: FLEET });
    agent.agent.reconnect();
    await agent.until(({ kind }) => kind !== "online");
    await agent.online();
    expect(await backend.api("listJoins")).toEqual([]);
  });

  it("is listed again when the server starts again meanwhile", async () => {
    await using directory = await tempDirectory();
    await using stack = new AsyncDisposableStack();
    const dataDir = directory.path;
    const first = await startBackend({ dataDir });
    const { password } = await makeGuarded(first);
    const agent = stack.use(await startAgent(agentOf(first, password, "own-1")));
    const before = await oneJoin(first);
    const places = [
      { host: "127.0.0.1", port: first.port, faces: new Set<Face>(["agents", "users", "pairing"]) },
    ];
    await first[Symbol.asyncDispose]();
    const second = stack.use(await startBackend({ dataDir, places }));
    const { id: joinId } = await oneJoin(second);
    expect(joinId).not.toBe(before.id);
    await second.api("approveJoin", { params: { joinId } });
    await agent.online();
  });

  it("C-40: one of RPort's is answered after 20 s, stays listed, and is in at its next try", async () => {
    const clock = new FakeClock();
    await using backend = await startBackend({ clock });
    const login = await makeGuarded(backend);
    const end = endOf(PeerAgent.join(login));
    const { id: joinId } = await oneJoin(backend);
    clock.advance(20_000);
    expect(await end).toMatch(/waits for approval/);
    expect((await oneJoin(backend)).id).toBe(joinId);
    await backend.api("approveJoin", { params: { joinId } });
    await using _agent = await PeerAgent.join(login);
    expect(await backend.api("listJoins")).toEqual([]);
  });
});

describe("a flood of new hosts", () => {
  it("S-01: a stolen credential cannot fill the server", async () => {
    await using backend = await startBackend();
    const { password } = await backend.api("createCredential", {
      body: { id: FLEET, limits: { joins_per_minute: 3 } },
    });
    const login = { url: backend.url.replace("http", "ws"), user: FLEET, password };
    await using agent = await startAgent(agentOf(backend, password, "own-1"));
    await agent.online();
    using events = backend.events();
    await events.snapshot();
    const ends: string[] = [];
    for (let n = 0; n < 40; n += 1) {
      const peer = await PeerAgent.signIn({ ...login, introduction: { ID: `fake-${n}` } });
      ends.push(await endOf(peer.introduce()));
      peer.close();
    }
    expect(ends.filter((end) => end === "in")).toHaveLength(2);
    expect(ends.at(-1)).toMatch(/Too many new hosts/);
    expect(await backend.api("listClients")).toHaveLength(3);
    const flooded = () => credentialEvents(events).filter(({ value }) => value?.flooded_at != null);
    await eventually(() => expect(flooded()).not.toEqual([]));
    const marks = new Set(flooded().map(({ value }) => value?.flooded_at));
    expect([...marks]).toEqual([(await backend.api("getCredential", { params })).flooded_at]);
    const audit = await backend.api("listAudit", { query: { "filter[action]": "flood" } });
    expect(audit).toMatchObject([{ application: "client.join", affected_id: FLEET }]);
    const failed = await backend.api("listAudit", { query: { "filter[action]": "failed" } });
    expect(failed).toEqual([]);
    const listed = await backend.api("listRefusals");
    expect(listed.every(({ reason }) => reason === "join-rate")).toBe(true);
    expect(listed.reduce((sum, { count }) => sum + count, 0)).toBe(38);

    // Who was there before comes and goes as it likes.
    agent.agent.reconnect();
    await agent.until(({ kind }) => kind !== "online");
    await agent.online();
    // And an agent that was refused tries again by itself.
    await using late = await startAgent(agentOf(backend, password, "own-2"));
    await late.until(({ kind }) => kind === "waiting");
    await backend.api("updateCredential", { params, body: { limits: { joins_per_minute: 100 } } });
    await late.online();
  });
});
