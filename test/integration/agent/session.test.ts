import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { FEATURES, REQUESTS } from "@rport/protocol/agent";
import { md5Fingerprint, sha256Fingerprint } from "@rport/protocol/wire/serverKey";
import { describe, expect, it } from "vitest";
import { WebSocketServer } from "ws";
import { readState, stateFileIn } from "../../../agent/src/state/stateFile.ts";
import { spawnAgent, startAgent } from "../../support/agents/agent.ts";
import { startAgentServer } from "../../support/agents/agentServer.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";
import { PASSWORD, SERVER_KEY, USER } from "../../support/wire/wirePair.ts";

const OTHER_FINGERPRINT = `SHA256:${"A".repeat(43)}`;

describe("an agent and its server", () => {
  it("registers with its facts, features and configuration, and without its secret", async () => {
    await using server = await startAgentServer();
    await using agent = await startAgent({
      server: server.url,
      client: { tags: ["ci"], tunnel_allowed: ["127.0.0.1:22"] },
    });
    const { registration, user } = await server.next();
    await agent.online();
    expect(user).toBe(USER);
    expect(registration).toMatchObject({
      ID: "test-agent",
      Tags: ["ci"],
      Features: Object.values(FEATURES).filter((name) => name !== FEATURES.terminal),
      Terminal: { state: "off" },
      ClientConfiguration: {
        client: { server: server.url, tunnel_allowed: ["127.0.0.1:22"] },
        connection: { keep_alive: 25_000_000_000 },
        monitoring: { lan_card: null, wan_card: null },
        file_reception: { enabled: false },
      },
    });
    expect(JSON.stringify(registration)).not.toContain(PASSWORD);
    expect(agent.lines.join("")).not.toContain(PASSWORD);
  });

  it("registers with the tags and labels of an attributes file, when that can be read", async () => {
    await using directory = await tempDirectory();
    const file = join(directory.path, "attributes.json");
    await writeFile(file, '{"tags":["edited"],"labels":{"site":"lab"}}');
    await using server = await startAgentServer();
    const client = { tags: ["configured"], attributes_file_path: file };
    await using agent = await startAgent({ server: server.url, client });
    const first = await server.next();
    expect(first.registration).toMatchObject({ Tags: ["edited"], Labels: { site: "lab" } });
    await writeFile(file, "{");
    agent.agent.reconnect();
    expect((await server.next()).registration).toMatchObject({ Tags: ["configured"], Labels: {} });
  });

  it("answers a ping with success and nothing, and refuses what it does not know", async () => {
    await using server = await startAgentServer();
    await using agent = await startAgent({ server: server.url });
    const session = await server.next();
    await agent.online();
    expect(await session.ask(REQUESTS.ping)).toEqual({ ok: true, text: "" });
    expect(await session.ask("run_now", {})).toEqual({ ok: false, text: "unknown request" });
  });

  it("says in words, to the server and in its log, which features of RPort's it does not have", async () => {
    await using server = await startAgentServer();
    await using agent = await startAgent({ server: server.url });
    const session = await server.next();
    await agent.online();
    const text = "remote commands and scripts are not there: this agent cannot run them";
    expect(await session.ask("run_cmd", {})).toEqual({ ok: false, text });
    const told = agent.lines.find((line) => line.includes("refused a request of the server"));
    expect(JSON.parse(told ?? "")).toMatchObject({
      level: "info",
      request: "run_cmd",
      reason: text,
    });
  });

  it("pings in its interval", async () => {
    await using server = await startAgentServer();
    await using agent = await startAgent({
      server: server.url,
      connection: { keep_alive: "50ms" },
    });
    const session = await server.next();
    await agent.online();
    await expect.poll(() => session.pings()).toBeGreaterThanOrEqual(3);
  });

  it("S-09: never sends its secret to a server with another key", async () => {
    const received: Buffer[] = [];
    let logins = 0;
    await using server = await startAgentServer({
      onBytes: (bytes) => received.push(Buffer.from(bytes)),
      login: {
        check: async () => {
          logins += 1;
          return true;
        },
      },
    });
    await using agent = await startAgent({
      server: server.url,
      client: { fingerprint: OTHER_FINGERPRINT },
    });
    const state = await agent.until(({ kind }) => kind === "waiting");
    expect(state).toMatchObject({ reason: { kind: "serverKey" } });
    const shown = sha256Fingerprint(SERVER_KEY.getPublicSSH());
    expect(agent.lines.join("")).toContain(`not the pinned server key: the server showed ${shown}`);
    expect(logins).toBe(0);
    const all = Buffer.concat(received);
    expect(all.length).toBeGreaterThan(0);
    expect(all.includes(PASSWORD)).toBe(false);
    expect(all.includes(USER)).toBe(false);
  });

  it("keeps trying after a refused secret, and tells it once", async () => {
    let isWelcome = false;
    await using server = await startAgentServer({
      login: { check: async (_user, password) => isWelcome && password === PASSWORD },
    });
    await using agent = await startAgent({ server: server.url });
    const refused = await agent.until(({ kind }) => kind === "waiting");
    expect(refused).toMatchObject({ reason: { kind: "login" } });
    agent.agent.reconnect();
    await agent.until((state) => state.kind === "waiting" && state !== refused);
    isWelcome = true;
    agent.agent.reconnect();
    await agent.online();
    const told = agent.lines.filter((line) => line.includes('"not connected"'));
    expect(told).toHaveLength(1);
  });

  it("connects again by itself when the server drops it, with the same session id", async () => {
    await using server = await startAgentServer();
    await using agent = await startAgent({ server: server.url });
    const first = await server.next();
    await agent.online();
    first.connection.close("maintenance");
    const second = await server.next();
    expect(second.registration.SessionID).toBe(first.registration.SessionID);
    expect(second.registration.SessionID).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("closes the connection and tries again when the server refuses to register it", async () => {
    let refusals = 0;
    await using server = await startAgentServer({
      onRegister: () => {
        refusals += 1;
        if (refusals === 1) throw new Error("client is already connected: x [y]");
      },
    });
    await using agent = await startAgent({ server: server.url });
    const waiting = await agent.until(({ kind }) => kind === "waiting");
    expect(waiting).toMatchObject({
      reason: { text: expect.stringContaining("already connected") },
    });
    await agent.online();
  });

  it("C-07: keeps nothing of a refusal's words that acts on a terminal", async () => {
    await using server = await startAgentServer({
      onRegister: () => {
        throw new Error(`no\u001b]52;c;cm0=\u0007\u202E${"x".repeat(1_000)}`);
      },
    });
    await using agent = await startAgent({ server: server.url });
    const waiting = await agent.until(({ kind }) => kind === "waiting");
    const text = waiting.kind === "waiting" ? waiting.reason.text : "";
    expect(text).toMatch(/^the server refused this agent: /);
    expect(text).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(text.length).toBeLessThan(400);
  });

  it("survives a server that sends garbage", async () => {
    await using garbage = await garbageServer();
    await using server = await startAgentServer();
    await using agent = await startAgent({
      server: garbage.url,
      client: { fallback_servers: [server.url] },
    });
    await agent.online();
    expect(agent.agent.state).toMatchObject({ kind: "online", server: server.url });
  });

  it("returns from a fallback server when the main one is back", async () => {
    let isBack = false;
    const login = { check: async () => isBack };
    await using main = await startAgentServer({ login });
    await using fallback = await startAgentServer();
    await using agent = await startAgent({
      server: main.url,
      client: { fallback_servers: [fallback.url], server_switchback_interval: "50ms" },
    });
    const onFallback = await fallback.next();
    await agent.online();
    isBack = true;
    await main.next();
    await onFallback.connection.closed;
    await agent.until((state) => state.kind === "online" && state.server === main.url);
  });

  it("C-41: accepts the MD5 form of the fingerprint, whole only", async () => {
    const md5 = md5Fingerprint(SERVER_KEY.getPublicSSH());
    await using server = await startAgentServer();
    await using agent = await startAgent({ server: server.url, client: { fingerprint: md5 } });
    await agent.online();
    const short = startAgent({ server: server.url, client: { fingerprint: md5.slice(0, 20) } });
    await expect(short).rejects.toThrow("client.fingerprint must be a whole fingerprint");
  });
});

describe("the agent's process", () => {
  it("writes its state and ends cleanly on SIGTERM", async () => {
    await using server = await startAgentServer();
    await using agent = await spawnAgent({ server: server.url });
    const first = await server.next();
    const file = stateFileIn(agent.dataDir);
    const isConnected = async () => (await readState(file))?.last_state === "connected";
    await expect.poll(isConnected).toBe(true);
    expect(await readState(file)).toMatchObject({ pid: agent.pid });
    agent.signal("SIGTERM");
    expect(await first.connection.closed).toMatchObject({ kind: "remote" });
    expect(await agent.ended).toBe(0);
    expect((await readState(file))?.last_state).toBe("initialized");
    expect(agent.log()).not.toContain(PASSWORD);
  });

  it("refuses to start without a fingerprint, and says so", async () => {
    await using agent = await spawnAgent({
      server: "http://127.0.0.1:1",
      client: { fingerprint: "" },
    });
    expect(await agent.ended).toBe(2);
    expect(agent.log()).toContain("client.fingerprint");
    expect(await readFile(agent.configFile, "utf8")).not.toContain(
      sha256Fingerprint(SERVER_KEY.getPublicSSH()),
    );
  });
});

/** A WebSocket server that answers with bytes that are no SSH. */
async function garbageServer() {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await new Promise((resolve) => server.once("listening", resolve));
  server.on("connection", (ws) => {
    ws.on("error", () => {});
    ws.send(Buffer.alloc(5_000, 0xaa));
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `ws://127.0.0.1:${port}/`,
    [Symbol.asyncDispose]: async () => {
      for (const ws of server.clients) ws.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
