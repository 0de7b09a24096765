import { FEATURES, REQUESTS } from "@rport/protocol/agent";
import type { Channel } from "@rport/protocol/wire/channel";
import { describe, expect, it } from "vitest";
import { type AgentSettings, startAgent } from "../../support/agents/agent.ts";
import { startAgentServer } from "../../support/agents/agentServer.ts";
import { refusingPort } from "../../support/refusingPort.ts";
import { tcpServer } from "../../support/wire/wireTunnel.ts";

const NOT_ALLOWED = 'not allowed with "tunnel_allowed" config';

/** A registered agent and the server's view of it. */
async function connected(
  options: { features?: readonly string[] } & Pick<AgentSettings, "client">,
  resolve?: (host: string) => Promise<readonly string[]>,
) {
  const server = await startAgentServer({ features: options.features ?? [] });
  const client = options.client ?? {};
  const replaced = resolve === undefined ? {} : { resolve };
  const agent = await startAgent({ server: server.url, client }, replaced);
  const session = await server.next();
  await agent.online();
  return {
    agent,
    session,
    async [Symbol.asyncDispose]() {
      await agent[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

async function readAll(channel: Channel): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of channel) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

describe("tunnels through an agent", () => {
  it("carries bytes both ways between a channel and its target", async () => {
    await using echo = await tcpServer((socket) => socket.pipe(socket));
    await using pair = await connected({});
    const channel = await pair.session.open(`127.0.0.1:${echo.port}`);
    channel.write("hello");
    const answer = await new Promise<Buffer>((resolve) => channel.once("data", resolve));
    expect(answer.toString()).toBe("hello");
    channel.destroy();
  });

  it("leaves the answer open after the end of the question when both sides know half-close", async () => {
    await using server = await tcpServer((socket) => {
      let bytes = 0;
      socket.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
      });
      socket.on("end", () => socket.end(`got ${bytes}`));
    });
    await using pair = await connected({ features: [FEATURES.halfClose] });
    await expect.poll(() => pair.session.connection.halfClose).toBe(true);
    const channel = await pair.session.open(`127.0.0.1:${server.port}/tcp`);
    channel.end("12345");
    expect(await readAll(channel)).toBe("got 5");
  });

  it("closes the channel without data when nobody answers at the target", async () => {
    await using refusing = await refusingPort();
    await using pair = await connected({});
    const channel = await pair.session.open(`127.0.0.1:${refusing.port}`);
    expect(await readAll(channel)).toBe("");
  });

  it("refuses UDP and what is no target, in words", async () => {
    await using pair = await connected({});
    await expect(pair.session.open("127.0.0.1:53/udp")).rejects.toThrow("no udp tunnels");
    await expect(pair.session.open("nonsense")).rejects.toThrow("not host:port");
    await expect(pair.session.open("x".repeat(5_000))).rejects.toThrow("says too much");
  });

  it("C-29, S-26: refuses targets that its own rules forbid, whatever the server asked before", async () => {
    await using echo = await tcpServer((socket) => socket.pipe(socket));
    const rules = [`127.0.0.1:${echo.port}`];
    await using pair = await connected({ client: { tunnel_allowed: rules } });
    const { session } = pair;
    const forbidden = ["169.254.169.254:80", `[::1]:${echo.port}`, `0.0.0.0:${echo.port}`];
    for (const target of [...forbidden, `127.0.0.2:${echo.port}`]) {
      await expect(session.open(target)).rejects.toThrow(NOT_ALLOWED);
      const asked = await session.ask(REQUESTS.checkTunnelAllowed, { Remote: target });
      expect(asked).toEqual({ ok: true, text: '{"IsAllowed":false}' });
    }
    const allowed = { Remote: `127.0.0.1:${echo.port}` };
    expect((await session.ask(REQUESTS.checkTunnelAllowed, allowed)).text).toContain("true");
    (await session.open(allowed.Remote)).destroy();
  });

  it("S-26: connects only to addresses it has checked, although the name means another one later", async () => {
    let connections = 0;
    await using target = await tcpServer((socket) => {
      connections += 1;
      socket.end("secret");
    });
    let lookups = 0;
    const rebinding = async () => {
      lookups += 1;
      return lookups === 1 ? ["127.0.0.9"] : ["127.0.0.1"];
    };
    const client = { tunnel_allowed: [`127.0.0.9:${target.port}`] };
    await using pair = await connected({ client }, rebinding);
    const first = await pair.session.open(`rebind.test:${target.port}`);
    expect(await readAll(first)).toBe("");
    expect(lookups).toBe(1);
    const second = await pair.session.open(`rebind.test:${target.port}`);
    expect(await readAll(second)).toBe("");
    expect(lookups).toBe(2);
    expect(connections).toBe(0);
  });

  it("S-33: reaches no cloud's metadata, by address or by name, and says so to whoever asks", async () => {
    const lookup = async () => ["192.0.2.1", "169.254.169.254"];
    await using pair = await connected({}, lookup);
    const { session } = pair;
    const spellings = ["169.254.169.254:80", "[::ffff:a9fe:a9fe]:80", "[fd00:ec2::254]:80"];
    for (const target of spellings) {
      await expect(session.open(target)).rejects.toThrow(NOT_ALLOWED);
    }
    expect(await readAll(await session.open("metadata.google.internal:80"))).toBe("");
    expect(pair.agent.lines.join("")).toContain("a cloud's metadata has to be named there");
    for (const target of [...spellings, "metadata.google.internal:80"]) {
      const allowed = await session.ask(REQUESTS.checkTunnelAllowed, { Remote: target });
      expect(allowed).toEqual({ ok: true, text: '{"IsAllowed":false}' });
      const port = await session.ask(REQUESTS.checkPort, { HostPort: target, Timeout: 1e9 });
      expect(JSON.parse(port.text)).toMatchObject({
        Open: false,
        ErrMsg: expect.stringContaining("metadata"),
      });
    }
  });

  it("S-33: without rules a name that has no address yet may be asked for", async () => {
    const lookup = () => Promise.reject(new Error("no such name"));
    await using pair = await connected({}, lookup);
    const asked = await pair.session.ask(REQUESTS.checkTunnelAllowed, { Remote: "later.test:80" });
    expect(asked).toEqual({ ok: true, text: '{"IsAllowed":true}' });
  });

  it("checks ports: open, closed, and forbidden", async () => {
    await using target = await tcpServer((socket) => socket.end());
    await using pair = await connected({ client: { tunnel_allowed: ["127.0.0.1"] } });
    const check = async (HostPort: string) => {
      const body = { HostPort, Timeout: 2_000_000_000 };
      const { ok, text } = await pair.session.ask(REQUESTS.checkPort, body);
      expect(ok).toBe(true);
      return JSON.parse(text) as { Open: boolean; ErrMsg: string };
    };
    expect(await check(`127.0.0.1:${target.port}`)).toEqual({ Open: true, ErrMsg: "" });
    await using refusing = await refusingPort();
    const closed = await check(`127.0.0.1:${refusing.port}`);
    expect(closed).toEqual({ Open: false, ErrMsg: expect.stringContaining("ECONNREFUSED") });
    const forbidden = await check(`127.0.0.2:${target.port}`);
    expect(forbidden).toEqual({ Open: false, ErrMsg: NOT_ALLOWED });
    const broken = await pair.session.ask(REQUESTS.checkPort, { HostPort: "x", Timeout: "1s" });
    expect(broken.ok).toBe(false);
  });
});
