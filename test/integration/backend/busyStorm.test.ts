import diagnostics from "node:diagnostics_channel";
import { expect, it } from "vitest";
import type { CrowdOutcome } from "../../support/agents/crowd.ts";
import { PeerAgent } from "../../support/agents/peerAgent.ts";
import { startBackend } from "../../support/backend/backend.ts";
import { FLEET } from "../../support/backend/fleet.ts";
import { type Child, startChild } from "../../support/child.ts";
import { eventually } from "../../support/eventually.ts";
import { within } from "../../support/within.ts";

/** A fifth of what the bench sends, and a fifth of the places that there are for that. */
const AGENTS = 200;
const PLACES = 256 / 5;
const STANDSTILL_MS = 3_000;
/** The server's event loop stands still for the second time when it has just accepted this one. */
const SECOND_STANDSTILL = 150;

/** Stops this process's event loop. */
function standStill(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, STANDSTILL_MS);
}

/** Counts the connections that servers of this process accept, and tells each. */
function countAccepted(told: (count: number) => void) {
  const channel = diagnostics.channel("net.server.socket");
  const accepted = { count: 0, [Symbol.dispose]: () => void channel.unsubscribe(listener) };
  const listener = () => {
    accepted.count += 1;
    told(accepted.count);
  };
  channel.subscribe(listener);
  return accepted;
}

/** A backend with a fifth of the usual places, and an agent that makes its network a known one. */
async function setUp(scope: AsyncDisposableStack) {
  const limits = { pending_sockets_per_network: Math.floor(PLACES) };
  const running = scope.use(await startBackend({ limits }));
  const body = { id: FLEET, limits: { joins_per_minute: 10 * AGENTS } };
  const { password } = await running.api("createCredential", { body });
  const url = running.url.replace("http", "ws");
  scope.use(await PeerAgent.join({ url, user: FLEET, password }));
  const start = () => scope.use(startChild("agents/crowd.ts", [url, password, String(AGENTS)]));
  const expectAllIn = async (crowd: Child): Promise<void> => {
    const line = (await within("the crowd to be in", crowd.lines.next(), 60_000)).value;
    const outcome: CrowdOutcome = JSON.parse(String(line));
    expect(outcome).toEqual([]);
    expect(running.backend.registry.counts.connected).toBe(AGENTS + 1);
    expect(await running.api("listRefusals")).toEqual([]);
    expect(running.backend.limits.states().filter(({ bites }) => bites > 0)).toEqual([]);
    // No points are left either, or somebody who comes now would have to wait.
    await using _late = await PeerAgent.join({ url, user: FLEET, password });
  };
  return { ...running, start, expectAllIn };
}

it("F-03, F-04: a storm from one address gets in whole though the server stands still in the middle of it", async () => {
  await using scope = new AsyncDisposableStack();
  const { start, expectAllIn } = await setUp(scope);
  using _accepted = countAccepted((count) => {
    if (count === 1 || count === SECOND_STANDSTILL) standStill();
  });
  await expectAllIn(start());
}, 90_000);

it("F-03, F-04: a storm from one address gets in whole though none of it answers before all have asked", async () => {
  await using scope = new AsyncDisposableStack();
  const { start, expectAllIn, backend } = await setUp(scope);
  let crowd: Child | undefined;
  // All have asked by the time that the server goes on, and then it is they who stand still.
  using accepted = countAccepted((count) => {
    if (count !== 1) return;
    standStill();
    crowd?.process.kill("SIGSTOP");
  });
  crowd = start();
  const answered = () => {
    const pending = backend.limits.states().find(({ name }) => name === "pending_sockets");
    const refused = backend.refusals.list().reduce((sum, { count }) => sum + count, 0);
    return (pending?.used ?? 0) + refused;
  };
  let before = 0;
  await eventually(() => {
    const now = accepted.count;
    const isStill = now > 0 && now === before;
    before = now;
    expect([isStill, answered() >= now]).toEqual([true, true]);
  }, 25_000);
  crowd.process.kill("SIGCONT");
  await expectAllIn(crowd);
}, 90_000);
