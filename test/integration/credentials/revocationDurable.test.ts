import { describe, expect, it } from "vitest";
import { PeerAgent } from "../../support/agents/peerAgent.ts";
import { startBackend } from "../../support/backend/backend.ts";
import { FLEET, makeFleet } from "../../support/backend/fleet.ts";
import { type SpawnedBackend, spawnBackend } from "../../support/backend/spawnBackend.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";

const CLIENT = "machine-1";
const SESSIONS = 1_000;
const WAVE = 20;
/** So many join at once here, and nowhere else. */
const JOINS_PER_MINUTE = 10_000;
const params = { authId: FLEET };
const host = { clientId: CLIENT };
const wsOf = (url: string) => url.replace("http", "ws");

type Take = (backend: SpawnedBackend) => Promise<unknown>;

const TAKES: readonly [string, Take, string][] = [
  [
    "a credential is deleted",
    ({ api }) => api.call("deleteCredential", { params, query: { force: "true" } }),
    "revoked-credential",
  ],
  [
    "a secret is revoked",
    async ({ api }) => {
      const [secret] = await api.call("listSecrets", { params });
      await api.call("revokeSecret", { params: { ...params, secretId: secret?.id ?? "" } });
    },
    "revoked-secret",
  ],
  ["a host is revoked", ({ api }) => api.call("revokeClient", { params: host }), "revoked-client"],
];

describe("revocation, with real processes", () => {
  it.each(TAKES)(
    "D-01: %s, and kill -9 comes right after the answer: it stays refused, and who still tries is told with address and count",
    async (_, take, reason) => {
      await using temp = await tempDirectory();
      await using first = await spawnBackend(temp.path);
      const password = await makeFleet(first.api);
      const login = { url: wsOf(first.endpoint.url), user: FLEET, password };
      await using agent = await PeerAgent.join(login);
      const query = { remote: "22", check_port: "0" };
      await first.api.call("createTunnel", { params: host, query });
      await take(first);
      await first.kill();
      await agent.closed;

      await using again = await spawnBackend(temp.path);
      const url = wsOf(again.endpoint.url);
      for (let n = 0; n < 3; n += 1)
        await expect(PeerAgent.join({ ...login, url })).rejects.toThrow();
      const refusals = await again.api.call("listRefusals");
      expect(refusals).toMatchObject([{ reason, address: "127.0.0.1", auth_id: FLEET, count: 3 }]);
      // The record stays, with its tunnels' definitions, until somebody removes it.
      expect(await again.api.call("getClient", { params: host })).toMatchObject({ id: CLIENT });
      if (reason === "revoked-client") {
        const early = again.api.call("deleteClient", { params: host });
        await expect(early).rejects.toMatchObject({ code: "CONFLICT" });
        await again.api.call("allowClient", { params: host });
      }
      const blast = { params: host, query: { dry_run: "true" } };
      const { clients } = await again.api.call("deleteClient", blast);
      expect(clients).toMatchObject([{ id: CLIENT, tunnels: 1 }]);
      await again.api.call("deleteClient", { params: host });
      expect(await again.api.call("listClients")).toEqual([]);
    },
  );

  it("purge removes the records, also for the next process", async () => {
    await using temp = await tempDirectory();
    await using first = await spawnBackend(temp.path);
    const password = await makeFleet(first.api);
    await using agent = await PeerAgent.join({
      url: wsOf(first.endpoint.url),
      user: FLEET,
      password,
    });
    const query = { force: "true", purge: "true" };
    await first.api.call("deleteCredential", { params, query });
    await first.kill();
    await agent.closed;
    await using again = await spawnBackend(temp.path);
    expect(await again.api.call("listClients")).toEqual([]);
  });

  it("F-21: a deletion ends a thousand sessions at once, and accepts no reconnect", async () => {
    await using backend = await startBackend();
    const limits = { joins_per_minute: JOINS_PER_MINUTE };
    const { password } = await backend.api("createCredential", { body: { id: FLEET, limits } });
    const login = { url: wsOf(backend.url), user: FLEET, password };
    await using stack = new AsyncDisposableStack();
    const agents: PeerAgent[] = [];
    while (agents.length < SESSIONS) {
      const wave = Array.from({ length: WAVE }, (_, n) =>
        PeerAgent.join({ ...login, introduction: { ID: `host-${agents.length + n}` } }),
      );
      for (const agent of await Promise.all(wave)) agents.push(stack.use(agent));
    }
    const returned = agents.slice(0, 50).map(async (agent) => {
      await agent.closed;
      return await PeerAgent.signIn(login).then(
        () => "let in",
        () => "refused",
      );
    });
    const query = { force: "true", report: "true" };
    const report = await backend.api("deleteCredential", { params, query });
    expect(report).toMatchObject({ disconnected: SESSIONS, offline: [] });
    expect(report.clients).toHaveLength(SESSIONS);
    expect(backend.backend.registry.counts).toEqual({ connected: 0, disconnected: SESSIONS });
    await Promise.all(agents.map((agent) => agent.closed));
    expect(new Set(await Promise.all(returned))).toEqual(new Set(["refused"]));
  }, 120_000);
});
