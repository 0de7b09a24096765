import { REQUESTS } from "@rport/protocol/agent";
import { expect, it } from "vitest";
import { PeerAgent } from "../../support/agents/peerAgent.ts";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";
import { FLEET, makeFleet } from "../../support/backend/fleet.ts";
import { FakeClock } from "../../support/clock.ts";
import { eventually } from "../../support/eventually.ts";

const AGENTS = 100;
const MINUTE_MS = 60_000;
const MINUTES = 60;
const TEST_MS = 180_000;

interface Fleet extends AsyncDisposable {
  readonly clock: FakeClock;
  readonly backend: RunningBackend;
  readonly agents: readonly PeerAgent[];
}

async function idleFleet(): Promise<Fleet> {
  await using opened = new AsyncDisposableStack();
  const clock = new FakeClock();
  const backend = opened.use(await startBackend({ clock }));
  const password = await makeFleet({ call: backend.api });
  const login = { url: backend.url.replace("http", "ws"), user: FLEET, password };
  const agents: PeerAgent[] = [];
  for (let n = 0; n < AGENTS; n += 1) {
    const introduction = { ID: `host-${n}` };
    agents.push(opened.use(await PeerAgent.join(Object.assign({}, login, { introduction }))));
  }
  const closing = opened.move();
  return { clock, backend, agents, [Symbol.asyncDispose]: () => closing.disposeAsync() };
}

/** What the server has asked or told an agent by itself since it came in. */
const asked = ({ agents }: Fleet) => agents.map(({ heard }) => heard.length);

/** One minute, at the end of which everybody has shown that it is alive. */
async function liveMinute({ clock, backend }: Fleet): Promise<void> {
  clock.advance(MINUTE_MS);
  const now = new Date(clock.now()).toISOString();
  await eventually(() => {
    const clients = [...backend.backend.clients.list()];
    expect(clients.filter((client) => client.last_heartbeat_at === now)).toHaveLength(AGENTS);
  });
}

it("F-01, F-02: an idle fleet stays for hours, asked one ping a minute and nothing else, and the server's timers do not grow with time", {
  timeout: TEST_MS,
}, async () => {
  await using fleet = await idleFleet();
  await liveMinute(fleet);
  const before = asked(fleet);
  // The watch for descriptors may be in the middle of a look, and set its timer afterwards.
  const mostTimers = fleet.clock.timers + 1;
  for (let minute = 0; minute < MINUTES; minute += 1) await liveMinute(fleet);
  expect(asked(fleet).map((count, at) => count - (before[at] ?? 0))).toEqual(
    fleet.agents.map(() => MINUTES),
  );
  const names = fleet.agents.flatMap(({ heard }) => heard.map(({ name }) => name));
  expect(new Set(names)).toEqual(new Set([REQUESTS.putCapabilities, REQUESTS.ping]));
  expect(fleet.clock.timers).toBeLessThanOrEqual(mostTimers);
  expect(fleet.backend.backend.registry.counts.connected).toBe(AGENTS);
});
