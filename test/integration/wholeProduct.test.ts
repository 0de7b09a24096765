import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { CLOSE_CODES } from "@rport/protocol/errors";
import { DIAL_PATH } from "@rport/protocol/http";
import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { runCli, startAgent, startEnrolledAgent } from "../support/agents/agent.ts";
import { PeerAgent } from "../support/agents/peerAgent.ts";
import { type RunningBackend, startBackend } from "../support/backend/backend.ts";
import type { EventStream } from "../support/backend/eventStream.ts";
import { eventually } from "../support/eventually.ts";
import { tempDirectory } from "../support/tempDirectory.ts";
import { tcpServer } from "../support/wire/wireTunnel.ts";

/** Clients in the paths of these tests: as awkward as an id may be. */
const CLIENT = "host/1 größe";

/** A service on the agent's host: answers every byte with itself, and ends when told the end. */
async function startEcho(): Promise<AsyncDisposable & { readonly port: number }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.pipe(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** A backend with one credential `fleet` of which the password is known. */
async function startFleet(): Promise<RunningBackend & { readonly password: string }> {
  const backend = await startBackend();
  const { password } = await backend.api("createCredential", { body: { id: "fleet" } });
  return { ...backend, password };
}

function agentOf(backend: RunningBackend & { readonly password: string }) {
  const auth = `fleet:${backend.password}`;
  const client = { fingerprint: backend.fingerprint, auth, id: CLIENT, name: "web-1" };
  return startAgent({ server: backend.url, client });
}

const connectionOf = (events: EventStream, id: string, state: string) =>
  events.until((messages) =>
    messages
      .flatMap((message) => (message.type === "delta" ? message.changes : []))
      .find((one) => {
        if (one.entity !== "client" || one.id !== id) return false;
        return one.value?.connection_state === state;
      }),
  );

async function exchange(port: number, text: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.end(text);
  let answer = "";
  for await (const chunk of socket) answer += String(chunk);
  return answer;
}

describe("backend and agent", () => {
  it("S1 show a host as soon as its agent is there, and keep its record when it goes", async () => {
    await using backend = await startFleet();
    using events = backend.events();
    await events.snapshot();
    const agent = await agentOf(backend);
    await connectionOf(events, CLIENT, "connected");
    const params = { clientId: CLIENT };

    expect(await backend.api("getClient", { params })).toMatchObject({
      name: "web-1",
      client_auth_id: "fleet",
      connection_state: "connected",
      tunnels: [],
      secret: { origin: "initial", state: "active" },
    });
    const query = { "filter[connection_state]": "connected", "fields[clients]": "id,tags,secret" };
    const [listed] = await backend.api("listClients", { query });
    expect(listed).toMatchObject({ id: CLIENT, tags: [], secret: { state: "active" } });
    const refusal = await backend.raw("DELETE", `/clients/${encodeURIComponent(CLIENT)}`);
    expect(refusal.status).toBe(400);

    await agent[Symbol.asyncDispose]();
    await connectionOf(events, CLIENT, "disconnected");
    expect(await backend.api("getCredential", { params: { authId: "fleet" } })).toMatchObject({
      clients_total: 1,
      clients_connected: 0,
    });
    await backend.api("deleteClient", { params });
    expect(await backend.api("listClients")).toEqual([]);
  });

  it("carry TCP through a tunnel of the server until the tunnel is closed", async () => {
    await using backend = await startFleet();
    await using echo = await startEcho();
    await using agent = await agentOf(backend);
    await agent.online();
    const params = { clientId: CLIENT };
    const query = { remote: String(echo.port), name: "echo" };
    const tunnel = await backend.api("createTunnel", { params, query });
    const text = "x".repeat(300_000);

    expect(tunnel).toMatchObject({ lhost: "127.0.0.1", rport: String(echo.port), name: "echo" });
    expect(await exchange(Number(tunnel.lport), text)).toBe(text);
    expect(await backend.api("listTunnels")).toMatchObject([{ id: tunnel.id, client_id: CLIENT }]);
    expect((await backend.api("getClient", { params })).tunnels).toHaveLength(1);

    await backend.api("deleteTunnel", { params: { ...params, tunnelId: tunnel.id } });
    expect(await backend.api("listTunnels")).toEqual([]);
    // The port may be another program's by now, so it is not sure to refuse.
    expect(await exchange(Number(tunnel.lport), "x").catch(() => "refused")).not.toBe("x");
  });

  it("carry TCP through an editor's WebSocket, the end of one direction included", async () => {
    await using backend = await startFleet();
    await using echo = await startEcho();
    await using agent = await agentOf(backend);
    await agent.online();
    const socket = openDial(backend, {
      client_id: CLIENT,
      host: "127.0.0.1",
      port: `${echo.port}`,
    });
    const received: Buffer[] = [];
    socket.on("message", (data: Buffer) => received.push(data));
    const closed = once(socket, "close");
    await once(socket, "open");
    socket.send(Buffer.from("hello"));
    await eventually(() => expect(Buffer.concat(received).toString()).toBe("hello"));
    socket.send(Buffer.alloc(0));
    await closed;
    expect(received.at(-1)).toHaveLength(0);
  });

  it("close an editor's WebSocket as cut off when the agent is stopped, and normally when the target resets", async () => {
    await using backend = await startFleet();
    await using agent = await agentOf(backend);
    await agent.online();
    const targets: Socket[] = [];
    await using target = await tcpServer((socket) => {
      targets.push(socket);
      socket.pipe(socket);
    });
    const openTo = async () => {
      const place = { host: "127.0.0.1", port: String(target.port) };
      const socket = openDial(backend, { client_id: CLIENT, ...place });
      const closed = once(socket, "close");
      await once(socket, "open");
      socket.send(Buffer.from("hello"));
      await once(socket, "message");
      return { closed };
    };
    const reset = await openTo();
    targets.pop()?.resetAndDestroy();
    expect((await reset.closed)[0]).toBe(1000);
    const cut = await openTo();
    await agent.agent.stop();
    expect((await cut.closed)[0]).toBe(CLOSE_CODES.cutOff);
  });

  it.each([
    ["a client that is not there", { client_id: "nobody", host: "127.0.0.1", port: "1" }],
    ["no client", { host: "127.0.0.1", port: "1" }],
    ["a port that is none", { client_id: CLIENT, host: "127.0.0.1", port: "99999" }],
  ])("close an editor's WebSocket with a reason for %s", async (_name, query) => {
    await using backend = await startFleet();
    const [code, reason] = await once(openDial(backend, query), "close");
    const isAbsent = "client_id" in query && query.client_id === "nobody";
    expect(code).toBe(isAbsent ? CLOSE_CODES.offline : CLOSE_CODES.refused);
    expect(String(reason)).toMatch(/client|port/);
  });

  it("move a running agent to a new secret without cutting it, and refuse the old one", async () => {
    await using backend = await startFleet();
    await using agent = await agentOf(backend);
    await agent.online();
    const params = { authId: "fleet" };
    const body = { grace_seconds: 0 };
    const rotation = await backend.api("rotateCredential", { params, body });
    const client = await eventually(async () => {
      const now = await backend.api("getClient", { params: { clientId: CLIENT } });
      expect(now.secret).toMatchObject({ origin: "rotation", state: "active" });
      return now;
    });

    expect(rotation).toMatchObject({ total: 1, unmovable: [] });
    expect(client.connection_state).toBe("connected");
    await eventually(async () => {
      const states = await backend.api("listSecrets", { params });
      expect(states.filter(({ state }) => state !== "revoked")).toHaveLength(1);
    });
    const old = {
      url: backend.url.replace("http", "ws"),
      user: "fleet",
      password: backend.password,
    };
    await expect(PeerAgent.signIn(old)).rejects.toThrow();
    expect(agent.lines.join("\n")).not.toContain(backend.password);
  });

  it("S20 cut every session of a credential that is deleted, and let nobody in again", async () => {
    await using backend = await startFleet();
    using events = backend.events();
    await events.snapshot();
    await using _agent = await agentOf(backend);
    await connectionOf(events, CLIENT, "connected");
    const refused = await backend.raw("DELETE", "/clients-auth/fleet");
    const query = { force: "true", report: "true" };
    const done = await backend.raw("DELETE", "/clients-auth/fleet", { query });

    expect(refused).toMatchObject({
      status: 409,
      body: { errors: [{ code: "ERR_CODE_CLIENT_AUTH_HAS_CLIENT" }] },
    });
    expect(done.body).toMatchObject({
      data: { disconnected: 1, clients: [{ id: CLIENT, connected: true }] },
    });
    await connectionOf(events, CLIENT, "disconnected");
    await backend.logged((line) => line.includes("agent login refused"));
    const { clients_connected: connected, clients_disconnected: known } =
      await backend.api("getStatus");
    expect({ connected, known }).toEqual({ connected: 0, known: 1 });
  });

  it("pair a host: one pasted token becomes a configuration with which the agent connects", async () => {
    await using backend = await startBackend();
    await using temp = await tempDirectory();
    using events = backend.events();
    const [credential] = (await events.snapshot()).credentials;
    const { token, pairing } = await backend.api("createPairing", {
      body: { credential_id: credential?.id ?? "", name: "paired", tags: ["new"] },
    });
    const file = join(temp.path, "rport.conf");
    const args = ["enroll", "--server", backend.url, "--config", file, "--token-stdin"];
    const more = ["--data-dir", join(temp.path, "data")];
    const result = await runCli([...args, ...more], token);
    const other = await runCli([...args, "--force", "--new-id"], token);
    expect(result).toMatchObject({ code: 0, stderr: "" });
    expect(other.code).not.toBe(0);

    await using _agent = await startEnrolledAgent(file);
    const [client] = await eventually(async () => {
      const found = await backend.api("listClients", {
        query: { "fields[clients]": "name,tags,client_auth_id,secret" },
      });
      expect(found).toHaveLength(1);
      return found;
    });
    expect(client).toMatchObject({
      name: "paired",
      tags: ["new"],
      client_auth_id: credential?.id,
      secret: { origin: "pairing", state: "active" },
    });
    const [used] = await backend.api("listPairings");
    expect(used).toMatchObject({ id: pairing.id, state: "used", uses_left: 0 });
    expect(used?.claims).toHaveLength(1);
    expect(backend.logLines.join("\n")).not.toContain(token);
  });
});

function openDial(backend: RunningBackend, query: Record<string, string>): WebSocket {
  const url = `${backend.url.replace("http", "ws")}${DIAL_PATH}?${new URLSearchParams(query)}`;
  return new WebSocket(url, { headers: { Authorization: `Bearer ${backend.token}` } });
}
