import { describe, expect, it } from "vitest";
import { startAgent } from "../../support/agents/agent.ts";
import { PeerAgent } from "../../support/agents/peerAgent.ts";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";
import { endOf, oneJoin } from "../../support/backend/joins.ts";
import { eventually } from "../../support/eventually.ts";

const HOST = "host-x";
const params = { authId: "prod" };

/** Two credentials, with their passwords. */
async function twoCredentials(backend: RunningBackend) {
  const { password: prod } = await backend.api("createCredential", { body: { id: "prod" } });
  const { password: other } = await backend.api("createCredential", { body: { id: "other" } });
  const url = backend.url.replace("http", "ws");
  const login = (user: string, password: string) => ({
    url,
    user,
    password,
    introduction: { ID: HOST },
  });
  const join = (user: string, password: string) => PeerAgent.join(login(user, password));
  /** Comes in when it was approved as that host. */
  const joinApproved = async (user: string, password: string) => {
    const agent = await PeerAgent.signIn(login(user, password));
    const end = endOf(agent.introduce());
    const { id: joinId } = await oneJoin(backend);
    await backend.api("approveJoin", { params: { joinId } });
    expect(await end).toBe("in");
    return agent;
  };
  return { prod, other, join, joinApproved };
}

const isAway = (backend: RunningBackend) =>
  eventually(async () => {
    const client = await backend.api("getClient", { params: { clientId: HOST } });
    expect(client.connection_state).toBe("disconnected");
  });

describe("a host's id that comes with another credential", () => {
  it("does not end the rotation that waits for the host, and is in the audit log", async () => {
    await using backend = await startBackend();
    const { prod, other, joinApproved } = await twoCredentials(backend);
    await using host = await startAgent({
      server: backend.url,
      client: { fingerprint: backend.fingerprint, auth: `prod:${prod}`, id: HOST, name: "web" },
    });
    await host.online();
    await host.agent.stop();
    await isAway(backend);
    await backend.api("rotateCredential", { params, body: { grace_seconds: null } });
    {
      await using _thief = await joinApproved("other", other);
      const { rotation } = await backend.api("getCredential", { params });
      expect(rotation).toMatchObject({ moved: 0, total: 1 });
      expect(await backend.api("getRotation", { params })).toMatchObject({
        clients: [{ id: HOST, name: "web01", state: "pending" }],
      });
      const query = { "filter[application]": "client", "filter[action]": "update" };
      const [entry, ...more] = await backend.api("listAudit", { query });
      expect(entry).toMatchObject({ client_id: HOST, affected_id: "other" });
      expect(JSON.parse(entry?.request ?? "{}")).toMatchObject({ before: "prod" });
      expect(more).toEqual([]);
    }
    await isAway(backend);
    await using back = await joinApproved("prod", prod);
    expect(back.connection).toBeDefined();
    const client = await backend.api("getClient", { params: { clientId: HOST } });
    expect(client.client_auth_id).toBe("prod");
  });

  it("is waited for no longer once its record is deleted", async () => {
    await using backend = await startBackend();
    const { prod, other, join, joinApproved } = await twoCredentials(backend);
    await (await join("prod", prod))[Symbol.asyncDispose]();
    await isAway(backend);
    await backend.api("rotateCredential", { params, body: { grace_seconds: null } });
    await (await joinApproved("other", other))[Symbol.asyncDispose]();
    await isAway(backend);
    await backend.api("deleteClient", { params: { clientId: HOST } });
    await eventually(async () => {
      const { rotation } = await backend.api("getCredential", { params });
      expect(rotation).toBeNull();
    });
  });
});

it("a credential is given no end with more digits than a time needs", async () => {
  await using backend = await startBackend();
  const limits = { expires_at: `2100-01-01T00:00:00.${"1".repeat(100)}Z` };
  const made = await backend.raw("POST", "/clients-auth", { body: { id: "long", limits } });
  expect(made).toMatchObject({ status: 400 });
  await backend.api("createCredential", { body: { id: "prod" } });
  const changed = await backend.raw("PATCH", "/clients-auth/prod", { body: { limits } });
  expect(changed).toMatchObject({ status: 400 });
  const credentials = await backend.api("listCredentials");
  expect(credentials.map(({ id }) => id)).not.toContain("long");
});
