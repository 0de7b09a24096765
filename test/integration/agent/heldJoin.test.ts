import { AGENT_STOPS, REQUESTS } from "@rport/protocol/agent";
import { Connection } from "@rport/protocol/wire/connection";
import { serverTransport } from "@rport/protocol/wire/transport";
import { describe, expect, it } from "vitest";
import { startAgent } from "../../support/agents/agent.ts";
import { FakeClock } from "../../support/clock.ts";
import { eventually } from "../../support/eventually.ts";
import { LOGIN, listen, SERVER_KEY, type WireListener } from "../../support/wire/wirePair.ts";
import { within } from "../../support/within.ts";

const WORD_MS = 20_000;

/** A server that lets every agent wait for a person, and tells it so when the test says. */
interface WaitingServer extends WireListener {
  /** Those that wait, in the order in which they came. */
  readonly waiting: readonly Connection[];
}

async function waitingServer(): Promise<WaitingServer> {
  const waiting: Connection[] = [];
  const listener = await listen((ws) => {
    const transport = serverTransport(ws, { serverKey: SERVER_KEY, login: LOGIN });
    const connection: Connection = new Connection(transport, {
      onOpen: () => ({ refuse: "agents do not open channels" }),
      onRequest: (name) => {
        if (name === REQUESTS.newConnection) waiting.push(connection);
        return new Promise<Buffer>(() => {});
      },
    });
  });
  return { ...listener, waiting };
}

/** An agent that has been told five times that it waits. */
async function heldAgent(server: WaitingServer) {
  const clock = new FakeClock();
  const agent = await startAgent({ server: server.url }, { clock });
  await eventually(() => expect(server.waiting).toHaveLength(1));
  for (let n = 0; n < 5; n += 1) {
    const word = server.waiting[0]?.request(REQUESTS.holdJoin, Buffer.from("{}"));
    expect(await word).toMatchObject({ ok: true });
    clock.advance(WORD_MS);
  }
  expect(agent.agent.state.kind).toBe("dialling");
  return agent;
}

describe("an agent that waits until somebody approves it", () => {
  it("stops at once, and says goodbye", async () => {
    await using server = await waitingServer();
    await using agent = await heldAgent(server);
    await within("the agent to stop", agent.agent.stop(), 5_000);
    expect(agent.agent.state.kind).toBe("stopped");
    const reason = await server.waiting[0]?.closed;
    expect(reason?.text).toContain(AGENT_STOPS);
  });

  it("connects again at once when it is told to", async () => {
    await using server = await waitingServer();
    await using agent = await heldAgent(server);
    agent.agent.reconnect();
    await eventually(() => expect(server.waiting).toHaveLength(2));
    const reason = await server.waiting[0]?.closed;
    expect(reason?.text).toContain("connecting again");
    expect(agent.agent.state.kind).toBe("dialling");
  });
});
