import { describe, expect, it } from "vitest";
import { startAgent, type TestAgent } from "../../support/agents/agent.ts";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";
import { agentOf, FLEET, makeFleet } from "../../support/backend/fleet.ts";
import { eventually } from "../../support/eventually.ts";
import { BadLine, type LineQuality } from "../../support/faults/badLine.ts";
import { seededRandom } from "../../support/random.ts";
import { exchange, pattern, tcpServer } from "../../support/wire/wireTunnel.ts";

const HOST = "afar";
const CHANCE_STEPS = 1 << 20;
const BACK_MS = 20_000;
const params = { clientId: HOST };

interface Afar extends AsyncDisposable {
  readonly backend: RunningBackend;
  readonly line: BadLine;
  readonly agent: TestAgent;
  /** Every state that the agent had from its first connection on. */
  readonly states: readonly string[];
}

/** An agent that is online at the end of a line that is good so far. */
async function afar(): Promise<Afar> {
  await using opened = new AsyncDisposableStack();
  const random = seededRandom();
  const backend = opened.use(await startBackend());
  const chance = () => random.below(CHANCE_STEPS) / CHANCE_STEPS;
  const line = opened.use(await BadLine.open(backend.port, chance));
  const password = await makeFleet({ call: backend.api });
  const place = { url: `ws://127.0.0.1:${line.port}`, fingerprint: backend.fingerprint };
  const agent = opened.use(await startAgent(agentOf(place, password, HOST)));
  await agent.online();
  const states: string[] = [];
  agent.agent.watch(({ kind }) => states.push(kind));
  const closing = opened.move();
  return { backend, line, agent, states, [Symbol.asyncDispose]: () => closing.disposeAsync() };
}

/** Bytes through a tunnel to a server beside the agent, and back. */
async function roundTrip({ backend }: Afar, bytes: number): Promise<boolean> {
  await using echo = await tcpServer((socket) => socket.pipe(socket));
  const query = { remote: `127.0.0.1:${echo.port}` };
  const tunnel = await backend.api("createTunnel", { params, query });
  const sent = pattern(bytes);
  return (await exchange(Number(tunnel.lport), sent, "half-close")).equals(sent);
}

const LINES: readonly [string, LineQuality][] = [
  ["loses one piece of a hundred", { lossShare: 0.01 }],
  ["loses one piece of twenty, on a way of 60 ms", { lossShare: 0.05, delayMs: 30 }],
  ["takes 600 ms, more or less by 200 ms", { delayMs: 300, jitterMs: 100 }],
  ["carries 64 kbit in a second", { bytesPerSecond: 8_000 }],
  ["hands on three bytes at a time", { pieceBytes: 3 }],
];

describe("F-12: on a line that", () => {
  it.each(LINES)(
    "%s an agent stays connected, and its tunnels carry every byte",
    async (...row) => {
      const [, quality] = row;
      await using place = await afar();
      place.line.quality = quality;
      expect(await roundTrip(place, 16_000)).toBe(true);
      expect(place.states).toEqual([]);
    },
  );

  it("stands still and breaks an agent is back with the tunnel it had", async () => {
    await using place = await afar();
    await using echo = await tcpServer((socket) => socket.pipe(socket));
    const query = { remote: `127.0.0.1:${echo.port}` };
    const tunnel = await place.backend.api("createTunnel", { params, query });
    place.line.freeze();
    place.line.cut();
    await place.agent.until(({ kind }) => kind === "waiting");
    place.line.thaw();
    await eventually(async () => {
      const sent = pattern(1_000);
      expect((await exchange(Number(tunnel.lport), sent, "half-close")).equals(sent)).toBe(true);
    }, BACK_MS);
  });

  it("breaks again and again during a rotation an agent has one new secret in the end", async () => {
    await using place = await afar();
    const { backend, line } = place;
    line.quality = { delayMs: 20, jitterMs: 10, lossShare: 0.05 };
    const authId = { params: { authId: FLEET } };
    const [first] = await backend.api("listSecrets", authId);
    await backend.api("rotateCredential", { ...authId, body: { grace_seconds: null } });
    for (let cut = 0; cut < 3; cut += 1) {
      line.cut();
      await place.agent.until(({ kind }) => kind === "waiting");
      await place.agent.online();
    }
    await eventually(async () => {
      const { rotation } = await backend.api("getCredential", authId);
      expect(rotation?.moved ?? 1).toBe(1);
      const secrets = await backend.api("listSecrets", authId);
      const good = secrets.filter(({ id, state }) => id !== first?.id && state === "active");
      expect(good.map(({ client_id: id }) => id)).toEqual([HOST]);
    }, BACK_MS);
    line.cut();
    await place.agent.until(({ kind }) => kind === "waiting");
    await place.agent.online();
    expect(place.agent.lines.join("")).not.toMatch(/refused|unknown secret/);
  });
});
