import { describe, expect, it } from "vitest";
import { startAgent } from "../../support/agents/agent.ts";
import { PeerAgent } from "../../support/agents/peerAgent.ts";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";
import { eventually } from "../../support/eventually.ts";

const HOST = "host-x";
const params = { authId: "prod" };

/** Two credentials, with their passwords. */
async function twoCredentials(backend: RunningBackend) {
  const { password: prod } = await backend.api("createCredential", { body: { id: "prod" } });
  const { password: other } = await backend.api("createCredential", { body: { id: "other" } });
  const url = backend.url.replace("http", "ws");
  const join = (user: string, password: string, id = HOST) =>
    PeerAgent.join({ url, user, password, introduction: { ID: id } });
  return { prod, other, join };
}

const isAway = (backend: RunningBackend) =>
  eventually(async () => {
    const client = await backend.api("getClient", { params: { clientId: HOST } });
    expect(client.connection_state).toBe("disconnected");
  });

describe("a host's id that comes with another credential", () => {
  it("does not end the rotation that waits for the host, and is in the audit log", async () => {
    await using backend = await startBackend();
    const { prod, other, join } = await twoCredentials(backend);
    await using host = await startAgent({
      server: backend.url,
      client: { fingerprint: backend.fingerprint, auth: `prod:${prod}`, id: HOST, name: "web" },
    });
    await host.online();
    await host.agent.stop();
    await isAway(backend);
    await backend.api("rotateCredential", { params, body: { grace_seconds: null } });
    {
      await using _thief = await join("other", other);
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
    await using back = await join("prod", prod);
    expect(back.connection).toBeDefined();
    const client = await backend.api("getClient", { params: { clientId: HOST } });
    expect(client.client_auth_id).toBe("prod");
  });

  it("is waited for no longer once its record is deleted", async () => {
    await using backend = await startBackend();
    const { prod, other, join } = await twoCredentials(backend);
    await (await join("prod", prod))[Symbol.asyncDispose]();
    await isAway(backend);
    await backend.api("rotateCredential", { params, body: { grace_seconds: null } });
    await (await join("other", other))[Symbol.asyncDispose]();
    await isAway(backend);
    await backend.api("deleteClient", { params: { clientId: HOST } });
    await eventually(async () => {
      const { rotation } = await backend.api("getCredential", { params });
      expect(rotation).toBeNull();
    });
  });
});
