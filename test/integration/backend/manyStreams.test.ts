import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { clientIdSchema } from "@rport/protocol/ids";
import { describe, expect, it } from "vitest";
import { type AgentSide, SECRET, startAgentSide } from "../../support/agents/agentSide.ts";
import { PeerAgent } from "../../support/agents/peerAgent.ts";
import { eventually } from "../../support/eventually.ts";
import { type TcpServer, tcpServer } from "../../support/wire/wireTunnel.ts";

const ID = clientIdSchema.parse("machine-1");
const AT_ONCE = 60;
const BULK_BYTES = 1 << 20;
const OPENS = 300;
const TEST_MS = 120_000;

const hashOf = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
const echo = () => tcpServer((socket) => socket.pipe(socket));

interface Tunnel extends AsyncDisposable {
  readonly side: AgentSide;
  readonly agent: PeerAgent;
  readonly port: number;
}

async function tunnelTo(target: TcpServer): Promise<Tunnel> {
  await using opened = new AsyncDisposableStack();
  const side = opened.use(await startAgentSide());
  const introduction = { Features: ["half-close"] };
  const login = { url: side.url, user: "fleet", password: SECRET, introduction };
  const agent = opened.use(await PeerAgent.join(login));
  agent.connection.halfClose = true;
  const { lport } = await side.tunnels.create(
    ID,
    { remote: String(target.port) },
    { owner: "ann" },
  );
  const closing = opened.move();
  return { side, agent, port: Number(lport), [Symbol.asyncDispose]: () => closing.disposeAsync() };
}

/** Sends bytes, says that this is all, and resolves with the hash of everything that came back. */
async function roundTrip(port: number, bytes: Buffer): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  const back: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => back.push(chunk));
  await once(socket, "connect");
  socket.end(bytes);
  await once(socket, "close");
  return hashOf(Buffer.concat(back));
}

const nothingIsOpen = ({ agent }: Tunnel) =>
  eventually(() => expect(agent.connection.channelCount).toBe(0));

describe("F-10: one tunnel", () => {
  it("carries sixty transfers at once, whole and all of them, beside one that never ends", {
    timeout: TEST_MS,
  }, async () => {
    await using target = await echo();
    await using tunnel = await tunnelTo(target);
    const endless = connect(tunnel.port, "127.0.0.1");
    endless.on("data", (chunk: Buffer) => endless.write(chunk));
    await once(endless, "connect");
    endless.write(Buffer.alloc(256 << 10, "e"));
    const bulks = Array.from({ length: AT_ONCE }, () => randomBytes(BULK_BYTES));
    const hashes = await Promise.all(bulks.map((bytes) => roundTrip(tunnel.port, bytes)));
    expect(hashes).toEqual(bulks.map(hashOf));
    endless.destroy();
    await nothingIsOpen(tunnel);
  });

  it("opens hundreds of connections one after the other, and keeps no channel of them", {
    timeout: TEST_MS,
  }, async () => {
    await using target = await echo();
    await using tunnel = await tunnelTo(target);
    const word = Buffer.from("hello");
    for (let n = 0; n < OPENS; n += 1) {
      expect(await roundTrip(tunnel.port, word)).toBe(hashOf(word));
    }
    await nothingIsOpen(tunnel);
  });
});
