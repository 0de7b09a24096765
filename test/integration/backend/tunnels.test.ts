import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import { REQUESTS } from "@rport/protocol/agent";
import { clientIdSchema, tunnelIdSchema } from "@rport/protocol/ids";
import { RequestRefused } from "@rport/protocol/wire/wireError";
import { describe, expect, it } from "vitest";
import { mergeWith } from "../../../backend/src/adoption/adoptions.ts";
import {
  type AgentSide,
  type AgentSideOptions,
  SECRET,
  startAgentSide,
} from "../../support/agents/agentSide.ts";
import { createTunnel, joinFleet, rangesFrom } from "../../support/agents/fleetTunnels.ts";
import { PeerAgent } from "../../support/agents/peerAgent.ts";
import { FakeClock } from "../../support/clock.ts";
import { eventually } from "../../support/eventually.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";
import { tcpServer } from "../../support/wire/wireTunnel.ts";

const ID = clientIdSchema.parse("machine-1");
const MINUTE_MS = 60_000;

/** Ranges of this process, above the usual one and below the ports of outgoing connections. */
const range = rangesFrom(30_000 + (process.pid % 20) * 100);

const start = (options: AgentSideOptions = {}) => startAgentSide({ range: range(), ...options });
const idOf = (tunnel: { id: string }) => tunnelIdSchema.parse(tunnel.id);
const echo = () => tcpServer((socket) => socket.pipe(socket));

async function dialLocal(port: string | number): Promise<Socket> {
  const socket = connect(Number(port), "127.0.0.1");
  await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  return socket;
}

async function exchange(port: string | number, text: string): Promise<string> {
  const socket = await dialLocal(port);
  socket.end(text);
  return (await buffer(socket)).toString();
}

/** What comes back first for a text. */
async function answerOf(socket: Socket, text: string): Promise<string> {
  const answer = once(socket, "data");
  socket.write(text);
  return String((await answer)[0]);
}

/** The limits that bit, and how often. */
function bitesOf({ limits }: AgentSide) {
  const bit = limits.states().filter(({ bites }) => bites > 0);
  return Object.fromEntries(bit.map(({ name, bites }) => [name, bites]));
}

const isListening = async (port: string | number) =>
  await dialLocal(port).then(
    (socket) => socket.destroy().destroyed,
    () => false,
  );

describe("a server tunnel", () => {
  it("carries connections to the target at the client's side, both ways", async () => {
    await using side = await start();
    await using target = await echo();
    await using agent = await joinFleet(side, { introduction: { Features: ["half-close"] } });
    agent.connection.halfClose = true;
    const tunnel = await createTunnel(side, ID, {
      remote: `127.0.0.1:${target.port}`,
      name: "echo",
    });
    expect(tunnel).toMatchObject({
      id: "1",
      client_id: "machine-1",
      protocol: "tcp",
      lhost: "127.0.0.1",
      lport_random: true,
      owner: "ann",
      rport: String(target.port),
      idle_timeout_minutes: 5,
      acl: null,
      connections: 0,
    });
    expect(await exchange(tunnel.lport, "hello")).toBe("hello");
    expect(side.tunnels.list()).toHaveLength(1);
    expect(side.touched).toContain("tunnel machine-1/1");
  });

  it("brings a megabyte through a Go-like peer without a loss, and counts its connections", async () => {
    await using side = await start();
    await using target = await echo();
    await using _agent = await joinFleet(side);
    const tunnel = await createTunnel(side, ID, { remote: String(target.port) });
    const socket = await dialLocal(tunnel.lport);
    const sent = Buffer.alloc(1 << 20, "0123456789");
    const received: Buffer[] = [];
    const all = new Promise<void>((resolve) => {
      let bytes = 0;
      socket.on("data", (chunk) => {
        received.push(chunk);
        bytes += chunk.length;
        if (bytes >= sent.length) resolve();
      });
    });
    socket.write(sent);
    await all;
    expect(Buffer.concat(received).equals(sent)).toBe(true);
    expect(side.tunnels.get("machine-1/1")?.connections).toBe(1);
    socket.destroy();
    await eventually(() => expect(side.tunnels.get("machine-1/1")?.connections).toBe(0));
  });

  it("closes connections to a target that nobody listens on", async () => {
    await using side = await start();
    await using _agent = await joinFleet(side);
    const tunnel = await createTunnel(side, ID, { remote: "1", check_port: "0" });
    expect(await exchange(tunnel.lport, "hello")).toBe("");
  });

  it("lets only peers of its ACL in", async () => {
    await using side = await start();
    await using target = await echo();
    await using _agent = await joinFleet(side);
    const tunnel = await createTunnel(side, ID, {
      remote: String(target.port),
      acl: "192.0.2.0/24",
    });
    const socket = connect(Number(tunnel.lport), "127.0.0.1").on("error", () => {});
    await new Promise((resolve) => socket.once("close", resolve));
    expect(side.tunnels.get("machine-1/1")?.connections).toBe(0);
  });

  it("ends with its client's connection", async () => {
    await using side = await start();
    await using target = await echo();
    const agent = await joinFleet(side);
    const tunnel = await createTunnel(side, ID, { remote: String(target.port) });
    const socket = await dialLocal(tunnel.lport);
    agent.close();
    await new Promise((resolve) => socket.once("close", resolve));
    await eventually(async () => expect(await isListening(tunnel.lport)).toBe(false));
    expect(side.tunnels.list()).toEqual([]);
  });

  it("closes after its idle time, counted from its last connection", async () => {
    const clock = new FakeClock();
    await using side = await start({ clock });
    await using target = await echo();
    await using _agent = await joinFleet(side);
    const { lport } = await createTunnel(side, ID, { remote: String(target.port) });
    const socket = await dialLocal(lport);
    await eventually(() => expect(side.tunnels.list()[0]?.connections).toBe(1));
    clock.advance(10 * MINUTE_MS);
    expect(side.tunnels.list()).toHaveLength(1);
    socket.destroy();
    await eventually(() => expect(side.tunnels.list()[0]?.connections).toBe(0));
    clock.advance(5 * MINUTE_MS - 1);
    expect(side.tunnels.list()).toHaveLength(1);
    clock.advance(1);
    await eventually(() => expect(side.tunnels.list()).toEqual([]));
    expect(side.registry.tunnelsOf(ID)).toEqual([]);
  });

  it("closes at its age, whatever is open", async () => {
    const clock = new FakeClock();
    await using side = await start({ clock });
    await using target = await echo();
    await using _agent = await joinFleet(side);
    const query = { remote: String(target.port), "skip-idle-timeout": true, "auto-close": "1h" };
    const { lport } = await createTunnel(side, ID, query);
    const socket = await dialLocal(lport);
    clock.advance(60 * MINUTE_MS);
    await new Promise((resolve) => socket.once("close", resolve));
    expect(side.tunnels.list()).toEqual([]);
  });
});

describe("creating a tunnel", () => {
  it("is refused for a client that is not connected", async () => {
    await using side = await start();
    await expect(createTunnel(side, ID, { remote: "22" })).rejects.toMatchObject({
      code: "CLIENT_OFFLINE",
    });
  });

  it("asks the client's own rules first, and names who refused", async () => {
    await using side = await start();
    await using agent = await joinFleet(side, {
      onRequest: (name) =>
        name === REQUESTS.checkTunnelAllowed ? Buffer.from('{"IsAllowed":false}') : undefined,
    });
    await expect(createTunnel(side, ID, { remote: "192.0.2.10:3389" })).rejects.toMatchObject({
      code: "TARGET_NOT_ALLOWED",
      message: expect.stringMatching(/^The client refuses 192\.0\.2\.10:3389: its own config/),
    });
    expect(agent.heardOf(REQUESTS.checkTunnelAllowed)).toEqual(['{"Remote":"192.0.2.10:3389"}']);
    expect(agent.heardOf(REQUESTS.checkPort)).toEqual([]);
  });

  it("is refused when nothing answers on the target, unless check_port is 0", async () => {
    await using side = await start();
    const closedPort = '{"Open":false,"ErrMsg":"connection refused"}';
    await using agent = await joinFleet(side, {
      onRequest: (name) => (name === REQUESTS.checkPort ? Buffer.from(closedPort) : undefined),
    });
    await expect(createTunnel(side, ID, { remote: "22" })).rejects.toMatchObject({
      code: "ERR_CODE_REMOTE_PORT_NOT_OPEN",
      detail: "connection refused",
    });
    expect(agent.heardOf(REQUESTS.checkPort)).toEqual([
      '{"HostPort":"127.0.0.1:22","Timeout":2000000000}',
    ]);
    await expect(createTunnel(side, ID, { remote: "22", check_port: "0" })).resolves.toBeDefined();
  });

  it.each([REQUESTS.checkTunnelAllowed, REQUESTS.checkPort])(
    "C-07: an agent's refusal of %s says nothing that acts on a terminal",
    async (asked) => {
      await using side = await start();
      const words = "no\u001b[2J\u202E";
      await using _agent = await joinFleet(side, {
        onRequest: (name) => {
          if (name === REQUESTS.checkPort && asked === name)
            return Buffer.from(JSON.stringify({ Open: false, ErrMsg: words }));
          if (name === asked) throw new RequestRefused(words);
          return name.startsWith("check_") ? Buffer.from('{"IsAllowed":true}') : undefined;
        },
      });
      const error = await createTunnel(side, ID, { remote: "22" }).catch(
        (caught: unknown) => caught,
      );
      expect(error).toMatchObject({ code: expect.stringMatching(/AGENT_REFUSED|PORT_NOT_OPEN/) });
      const { message, detail } = error as { message: string; detail: string };
      expect(`${message} ${detail}`).toMatch(/no \[2J /);
    },
  );

  it("works with agents that know neither question", async () => {
    await using side = await start();
    await using _agent = await joinFleet(side, {
      onRequest: (name) => {
        if (name.startsWith("check_")) throw new RequestRefused("unknown request");
        return undefined;
      },
    });
    await expect(createTunnel(side, ID, { remote: "22" })).resolves.toMatchObject({ rport: "22" });
  });

  it("refuses a second one to the same target, also when both are asked for at once", async () => {
    const ports = range();
    const { from } = ports;
    await using side = await start({ range: ports });
    await using _agent = await joinFleet(side);
    const results = await Promise.allSettled(
      [1, 2, 3].map(() => createTunnel(side, ID, { remote: "22", local: String(from) })),
    );
    expect(results.filter((one) => one.status === "fulfilled")).toHaveLength(1);
    await expect(
      createTunnel(side, ID, { remote: "22", local: String(from) }),
    ).rejects.toMatchObject({
      code: "ERR_CODE_TUNNEL_EXIST",
    });
    await expect(createTunnel(side, ID, { remote: "22" })).rejects.toMatchObject({
      code: "ERR_CODE_TUNNEL_TO_PORT_EXIST",
    });
    await expect(createTunnel(side, ID, { remote: "22", acl: "192.0.2.1" })).resolves.toMatchObject(
      {
        id: "2",
      },
    );
    expect(side.registry.tunnelsOf(ID)).toHaveLength(2);
  });

  it("refuses a port that another program has, and finds another when it may choose", async () => {
    const { from, to } = range(2);
    await using side = await start({ range: { from, to } });
    await using _agent = await joinFleet(side);
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(from, "127.0.0.1", resolve));
    // Whoever asks next is told the same: no tunnel had the port.
    for (const remote of ["22", "23"]) {
      await expect(createTunnel(side, ID, { remote, local: String(from) })).rejects.toMatchObject({
        code: "ERR_CODE_LOCAL_PORT_IN_USE",
        detail: "Another program on the server has it.",
      });
    }
    expect(await createTunnel(side, ID, { remote: "22" })).toMatchObject({ lport: String(to) });
    other.close();
  });

  it("stops at 64 for one client", async () => {
    await using side = await start({ range: range(100) });
    await using _agent = await joinFleet(side);
    for (let n = 1; n <= 64; n++)
      await createTunnel(side, ID, { remote: String(n), check_port: "0", owner: `user ${n}` });
    await expect(createTunnel(side, ID, { remote: "65" })).rejects.toMatchObject({
      code: "CONFLICT",
    });
    expect(bitesOf(side)).toEqual({ tunnels_per_client: 1 });
  });

  it("stops at as many as the server may have, and goes on when one is closed", async () => {
    await using side = await start({ limits: { tunnels: 16 } });
    await using _agent = await joinFleet(side);
    for (let n = 1; n <= 16; n++)
      await createTunnel(side, ID, { remote: String(n), check_port: "0", owner: `user ${n}` });
    await expect(createTunnel(side, ID, { remote: "17" })).rejects.toMatchObject({
      code: "UNAVAILABLE",
    });
    expect(bitesOf(side)).toEqual({ tunnels: 1 });
    await side.tunnels.remove(ID, idOf({ id: "1" }), true);
    await createTunnel(side, ID, { remote: "17", check_port: "0" });
  });

  it("carries as many connections of one agent as it may, and refuses the next one", async () => {
    await using side = await start({ limits: { channels_per_agent: 8 } });
    await using target = await echo();
    await using agent = await joinFleet(side);
    const remote = String(target.port);
    // Of which ann has six; the others have one each, as whoever has none yet may.
    const lports: string[] = [];
    for (const owner of ["ann", "ben", "cleo", "dan"]) {
      const acl = `127.0.0.0/${8 + lports.length}`;
      lports.push((await createTunnel(side, ID, { remote, owner, acl })).lport);
    }
    const [ann = "", ben = "", cleo = "", dan = ""] = lports;
    const open: Socket[] = [];
    for (const lport of [ann, ann, ann, ann, ann, ann, ben, cleo]) {
      const socket = await dialLocal(lport);
      open.push(socket);
      await answerOf(socket, "x");
    }
    expect(bitesOf(side)).toEqual({});
    expect(await exchange(dan, "one more")).toBe("");
    expect(bitesOf(side)).toEqual({ channels_per_agent: 1 });
    expect(side.log.filter((line) => line.includes('"share"'))).toEqual([]);
    for (const socket of open) socket.destroy();
    await eventually(() => expect(agent.connection.channelCount).toBe(0));
    const again = await dialLocal(dan);
    expect(await answerOf(again, "again")).toBe("again");
    again.destroy();
  });
});

describe("deleting a tunnel", () => {
  it("with open connections needs force", async () => {
    await using side = await start();
    await using target = await echo();
    await using _agent = await joinFleet(side);
    const tunnel = await createTunnel(side, ID, { remote: String(target.port) });
    const socket = await dialLocal(tunnel.lport);
    await eventually(() => expect(side.tunnels.list()[0]?.connections).toBe(1));
    await expect(side.tunnels.remove(ID, idOf(tunnel), false)).rejects.toMatchObject({
      code: "CONFLICT",
    });
    const closed = new Promise((resolve) => socket.once("close", resolve));
    await side.tunnels.remove(ID, idOf(tunnel), true);
    await closed;
    expect(await isListening(tunnel.lport)).toBe(false);
    expect(side.registry.tunnelsOf(ID)).toEqual([]);
  });

  it("that does not exist is a 404; one of a client that is away is forgotten", async () => {
    await using side = await start();
    const agent = await joinFleet(side);
    const tunnel = await createTunnel(side, ID, { remote: "22" });
    agent.close();
    await eventually(() => expect(side.tunnels.list()).toEqual([]));
    await side.tunnels.remove(ID, idOf(tunnel), false);
    expect(side.registry.tunnelsOf(ID)).toEqual([]);
    await expect(side.tunnels.remove(ID, idOf(tunnel), false)).rejects.toMatchObject({
      code: "NOT_FOUND",
    });
  });
});

describe("a client that comes back", () => {
  it("gets its tunnels again, also after a restart of the server", async () => {
    await using directory = await tempDirectory();
    const ports = range();
    const first = await start({ directory: directory.path, range: ports });
    await joinFleet(first);
    await createTunnel(first, ID, { remote: "22", local: String(ports.from) });
    await createTunnel(first, ID, { remote: "23" });
    await first[Symbol.asyncDispose]();

    await using second = await start({ directory: directory.path, range: ports });
    await using agent = await PeerAgent.signIn({
      url: second.url,
      user: "fleet",
      password: SECRET,
    });
    const answer = await agent.introduce();
    expect(answer.map(({ rport, lport_random }) => [rport, lport_random])).toEqual([
      ["22", false],
      ["23", true],
    ]);
    expect(second.tunnels.list().map((tunnel) => tunnel.id)).toEqual(["1", "2"]);
    expect(await isListening(ports.from)).toBe(true);
    expect(agent.heardOf(REQUESTS.checkTunnelAllowed)).toHaveLength(2);
  });

  it("gets its tunnels back on the new connection when it replaces the old one", async () => {
    await using side = await start();
    await using _first = await joinFleet(side);
    const tunnel = await createTunnel(side, ID, { remote: "22" });
    await using _second = await joinFleet(side);
    expect(side.tunnels.list()).toMatchObject([{ id: "1", lport: tunnel.lport }]);
    expect(await isListening(tunnel.lport)).toBe(true);
  });

  it("gets those of a record that is moved into its own at that very moment, too", async () => {
    const OLD = clientIdSchema.parse("machine-0");
    await using side = await start();
    await using target = await echo();
    const remote = String(target.port);
    let [own, other] = ["", ""];
    {
      await using _old = await joinFleet(side, { introduction: { ID: OLD } });
      other = (await side.tunnels.create(OLD, { remote }, { owner: "ann" })).lport;
      await using _agent = await joinFleet(side);
      own = (await createTunnel(side, ID, { remote })).lport;
    }
    await eventually(() => expect(side.registry.counts.connected).toBe(0));
    const [asked, allowed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const joining = joinFleet(side, {
      onRequest: async (name) => {
        if (name !== REQUESTS.checkTunnelAllowed) return undefined;
        asked.resolve();
        await allowed.promise;
        return Buffer.from('{"IsAllowed":true}');
      },
    });
    await asked.promise;
    const tunnelIds = side.tunnels.tunnelsOf(ID).map(({ id }) => id);
    await side.registry.adopt(ID, OLD, { edits: [], merge: mergeWith(tunnelIds) });
    const taking = side.tunnels.adoptTunnels(ID, OLD);
    allowed.resolve();
    await using _back = await joining;
    await taking;
    const kept = side.registry.tunnelsOf(ID).map(({ lport }) => lport);
    expect(kept.sort()).toEqual([own, other].sort());
    expect([await isListening(own), await isListening(other)]).toEqual([true, true]);
  });

  it("does not get back what its own rules no longer allow", async () => {
    await using side = await start();
    const agent = await joinFleet(side);
    await createTunnel(side, ID, { remote: "22" });
    agent.close();
    await eventually(() => expect(side.tunnels.list()).toEqual([]));
    await using _second = await joinFleet(side, {
      onRequest: (name) =>
        name === REQUESTS.checkTunnelAllowed ? Buffer.from('{"IsAllowed":false}') : undefined,
    });
    expect(side.tunnels.list()).toEqual([]);
    expect(side.registry.tunnelsOf(ID)).toEqual([]);
  });
});
