import { TUNNEL_CHANNEL } from "@rport/protocol/agent";
import type { Message } from "@rport/protocol/wire/connection/messages";
import { describe, expect, it } from "vitest";
import { startAgent } from "../../support/agents/agent.ts";
import { type HostileSession, startHostileServer } from "../../support/agents/hostileServer.ts";
import { eventually } from "../../support/eventually.ts";
import { tcpServer } from "../../support/wire/wireTunnel.ts";

function open(session: HostileSession, sender: number, target: string): void {
  const extra = Buffer.from(target);
  const size = { window: 1 << 20, maxPacket: 32_768 };
  session.send({ kind: "open", type: TUNNEL_CHANNEL, sender, ...size, extra });
}

const ofKind = <K extends Message["kind"]>({ heard }: HostileSession, kind: K) =>
  heard.filter((message) => message.kind === kind) as Extract<Message, { kind: K }>[];

/** Looks nothing up, and keeps what it was asked for. */
function silentDns() {
  const asked: string[] = [];
  const resolve = (name: string) => {
    asked.push(name);
    return name === "localhost" ? Promise.resolve(["127.0.0.1"]) : new Promise<never>(() => {});
  };
  return { asked, resolve };
}

/** Opens channels, and closes all of them once they are confirmed, as soon as the agent takes it. */
async function openAndClose(session: HostileSession, targets: readonly string[]): Promise<void> {
  const before = ofKind(session, "openConfirmation").length;
  for (const [n, target] of targets.entries()) open(session, before + n, target);
  const opened = await eventually(() => {
    const all = ofKind(session, "openConfirmation").slice(before);
    expect(all).toHaveLength(targets.length);
    return all;
  });
  for (const { sender } of opened) session.send({ kind: "close", recipient: sender });
  const closed = before + targets.length;
  await eventually(() => expect(ofKind(session, "close")).toHaveLength(closed));
}

const names = (count: number) => Array.from({ length: count }, (_, n) => `n${n}.slow.example:80`);

describe("C-29: tunnels to names whose DNS is silent", () => {
  it("take one lookup at once, and none when they are closed; others go on", async () => {
    await using hostile = await startHostileServer();
    await using target = await tcpServer((socket) => socket.write("hello"));
    const { asked, resolve } = silentDns();
    await using _agent = await startAgent({ server: hostile.url }, { resolve });
    const session = await hostile.next();
    await openAndClose(session, names(500));
    open(session, 1_000, `localhost:${target.port}`);
    await eventually(() => expect(ofKind(session, "data")).toHaveLength(1));
    expect(asked).toEqual(["n0.slow.example", "localhost"]);
  });

  it("give the room of their channels back at once when they are closed", async () => {
    await using hostile = await startHostileServer();
    const { resolve } = silentDns();
    await using _agent = await startAgent({ server: hostile.url }, { resolve });
    const session = await hostile.next();
    // More in all than channels that may have room at once.
    for (let turn = 0; turn < 6; turn += 1) await openAndClose(session, names(1_000));
    expect(ofKind(session, "openFailure")).toEqual([]);
  });
});
