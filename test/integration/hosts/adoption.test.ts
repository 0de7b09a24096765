import type { Tunnel } from "@rport/protocol/model";
import { describe, expect, it } from "vitest";
import { startAgent, startEnrolledAgent } from "../../support/agents/agent.ts";
import { PeerAgent } from "../../support/agents/peerAgent.ts";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";
import { agentOf, FLEET, makeFleet } from "../../support/backend/fleet.ts";
import { eventually } from "../../support/eventually.ts";
import { exchange, pattern, tcpServer } from "../../support/wire/wireTunnel.ts";

const [OLD, NEW] = ["web-old", "web-new"];
const params = { clientId: NEW };
const body = { from: OLD };

const isAway = (backend: RunningBackend) =>
  eventually(async () =>
    expect(await backend.api("getClient", { params: { clientId: OLD } })).toMatchObject({
      connection_state: "disconnected",
    }),
  );

/** Whether bytes come back through a tunnel as they went in. */
async function echoes({ lport }: Pick<Tunnel, "lport">): Promise<boolean> {
  const sent = pattern(50_000);
  return (await exchange(Number(lport), sent, "half-close")).equals(sent);
}

const peerOf = (backend: RunningBackend, password: string, introduction: object) => ({
  url: backend.url.replace("http", "ws"),
  user: FLEET,
  password,
  introduction: { ...introduction },
});

describe("moving a record over to the client that the host is now", () => {
  it("takes name, tags and labels along, keeps them at the next connection, and leaves nothing behind", async () => {
    await using backend = await startBackend();
    const password = await makeFleet({ call: backend.api });
    const old = agentOf(backend, password, OLD);
    const client = { ...old.client, name: "web-01", tags: ["prod"], labels: { site: "berlin" } };
    {
      await using agent = await startAgent({ ...old, client });
      await agent.online();
    }
    const fresh = agentOf(backend, password, NEW);
    const own = { ...fresh.client, name: "", tags: ["debian"] };
    await using agent = await startAgent({ ...fresh, client: own });
    await agent.online();
    await isAway(backend);
    const moved = await backend.api("adoptClient", { params, body });
    const wanted = { name: "web-01", tags: ["prod", "debian"], labels: { site: "berlin" } };
    expect(moved).toMatchObject({ id: NEW, ...wanted, connection_state: "connected" });
    await agent.agent.stop();
    await using again = await startEnrolledAgent(agent.configFile);
    await again.online();
    expect(await backend.api("listClients")).toMatchObject([{ id: NEW, name: "web-01" }]);
    const audit = await backend.api("listAudit", { query: { "filter[action]": "move" } });
    expect(audit).toMatchObject([{ application: "client", affected_id: OLD, client_id: NEW }]);
  });

  it.each([
    ["itself", NEW, 400],
    ["a client that is not there", "nobody", 404],
    ["a client that is connected", OLD, 409],
  ])("is refused in words for %s", async (_, from, status) => {
    await using backend = await startBackend();
    const password = await makeFleet({ call: backend.api });
    await using old = await startAgent(agentOf(backend, password, OLD));
    await using fresh = await startAgent(agentOf(backend, password, NEW));
    await Promise.all([old.online(), fresh.online()]);
    const moving = backend.api("adoptClient", { params, body: { from } });
    await expect(moving).rejects.toMatchObject({ status });
    expect(await backend.api("listClients")).toHaveLength(2);
  });

  it("opens its tunnels for the new client at once, on their old ports, beside those that are there", async () => {
    await using backend = await startBackend();
    await using echo = await tcpServer((socket) => socket.pipe(socket));
    const password = await makeFleet({ call: backend.api });
    const query = { remote: String(echo.port) };
    let old: Tunnel;
    {
      await using agent = await startAgent(agentOf(backend, password, OLD));
      await agent.online();
      old = await backend.api("createTunnel", { params: { clientId: OLD }, query });
    }
    await using fresh = await startAgent(agentOf(backend, password, NEW));
    await fresh.online();
    const own = await backend.api("createTunnel", { params, query });
    await isAway(backend);
    using events = backend.events();
    await events.snapshot();
    await backend.api("adoptClient", { params, body });

    const tunnels = await backend.api("listTunnels");
    const shown = tunnels.map(({ client_id, id, lport }) => [client_id, id, lport]);
    expect(shown).toEqual([
      [NEW, own.id, own.lport],
      [NEW, "2", old.lport],
    ]);
    for (const tunnel of tunnels) expect(await echoes(tunnel)).toBe(true);
    const told = () =>
      events.messages.flatMap((message) => (message.type === "delta" ? message.changes : []));
    await eventually(() => {
      expect(told()).toContainEqual({ entity: "client", id: OLD, value: null });
      expect(told()).toMatchObject(
        expect.arrayContaining([expect.objectContaining({ entity: "tunnel", id: `${NEW}/2` })]),
      );
    });
    await fresh.agent.stop();
    await using again = await startEnrolledAgent(fresh.configFile);
    await again.online();
    for (const tunnel of tunnels)
      await eventually(async () => expect(await echoes(tunnel)).toBe(true));
  });

  it("takes its own secrets along, so that they end when the new client is revoked", async () => {
    await using backend = await startBackend();
    const password = await makeFleet({ call: backend.api });
    const authId = { authId: FLEET };
    const other = await backend.api("createCredential", { body: { id: "other" } });
    {
      await using agent = await startAgent(agentOf(backend, password, OLD));
      await agent.online();
      await backend.api("rotateCredential", { params: authId, body: { grace_seconds: 3_600 } });
      await eventually(async () => {
        const { secret } = await backend.api("getClient", { params: { clientId: OLD } });
        expect(secret).toMatchObject({ origin: "rotation", state: "active" });
      });
    }
    await isAway(backend);
    const own = { ...peerOf(backend, other.password, { ID: NEW }), user: "other" };
    await using _fresh = await PeerAgent.join(own);
    await backend.api("adoptClient", { params, body });
    const bound = async () =>
      (await backend.api("listSecrets", { params: authId })).filter(({ client_id: id }) => id);
    expect(await bound()).toMatchObject([{ client_id: NEW, origin: "rotation", state: "grace" }]);
    expect(await backend.api("getClient", { params })).toMatchObject({ client_auth_id: "other" });
    await backend.api("revokeClient", { params });
    expect(await bound()).toMatchObject([{ client_id: NEW, state: "revoked" }]);
  });

  it("launders no host that was revoked, and keeps the mark of one that takes a record over", async () => {
    await using backend = await startBackend();
    const password = await makeFleet({ call: backend.api });
    for (const ID of [OLD, NEW]) {
      await using _agent = await PeerAgent.join(peerOf(backend, password, { ID }));
    }
    await isAway(backend);
    await backend.api("revokeClient", { params: { clientId: OLD } });
    const moving = backend.api("adoptClient", { params, body });
    await expect(moving).rejects.toMatchObject({ code: "CONFLICT", message: /was revoked/ });
    await backend.api("allowClient", { params: { clientId: OLD } });
    await backend.api("revokeClient", { params });
    const moved = await backend.api("adoptClient", { params, body });
    expect(moved.revoked_at).not.toBeNull();
    const joining = PeerAgent.join(peerOf(backend, password, { ID: NEW }));
    await expect(joining).rejects.toThrow("was revoked");
  });

  it("gives way to what the agent says once that is something else", async () => {
    await using backend = await startBackend();
    const password = await makeFleet({ call: backend.api });
    const join = async (ID: string, said: object): Promise<void> => {
      await using _agent = await PeerAgent.join(peerOf(backend, password, { ID, ...said }));
    };
    await join(OLD, { Name: "web-01", Tags: ["prod"] });
    await join(NEW, { Name: "temp", Tags: [] });
    await isAway(backend);
    await backend.api("adoptClient", { params, body });
    await join(NEW, { Name: "web-02", Tags: [] });
    const client = await backend.api("getClient", { params });
    expect(client).toMatchObject({ name: "web-02", tags: ["prod"] });
    await join(NEW, { Name: "temp", Tags: ["db"] });
    const later = await backend.api("getClient", { params });
    expect(later).toMatchObject({ name: "temp", tags: ["db"] });
  });
});
