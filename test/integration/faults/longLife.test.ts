import { readdirSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { PeerAgent } from "../../support/agents/peerAgent.ts";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";
import { FLEET, makeFleet } from "../../support/backend/fleet.ts";
import { FakeClock } from "../../support/clock.ts";
import { eventually } from "../../support/eventually.ts";

const MINUTE_MS = 60_000;
const HOUR_MINUTES = 60;
const HOURS = 24;
/** By then caches and pools are as they stay. */
const WARM_HOURS = 4;
const AGENTS = 3;
const ROTATED = "rotated-each-hour";
const GRACE_S = 1_200;
/** Measured: 4 MB, of which most is the log that the test keeps. */
const GROWTH_BYTES = 8 << 20;
const GROWTH = 2;
const TEST_MS = 240_000;

interface Life {
  readonly clock: FakeClock;
  readonly backend: RunningBackend;
  readonly password: string;
}

/** One minute: whoever is connected is pinged, and answers. */
async function liveMinute({ clock, backend }: Life): Promise<void> {
  clock.advance(MINUTE_MS);
  const now = new Date(clock.now()).toISOString();
  await eventually(() => {
    const connected = [...backend.backend.clients.list()].filter(
      ({ connection_state: state }) => state === "connected",
    );
    expect(connected.map(({ last_heartbeat_at: at }) => at)).toEqual(connected.map(() => now));
    expect(connected).toHaveLength(AGENTS);
  });
}

/** What happens in an hour: everything that has an end of its own, and ends within the next. */
async function liveHour(life: Life): Promise<void> {
  const { backend, password } = life;
  const login = { url: backend.url.replace("http", "ws"), user: FLEET, password };
  const params = { authId: ROTATED };
  await backend.api("rotateCredential", { params, body: { grace_seconds: GRACE_S } });
  const wrong = Object.assign({}, login, { password: "wrong" });
  await expect(PeerAgent.signIn(wrong)).rejects.toThrow();
  const passing = Object.assign({}, login, { introduction: { ID: "passing" } });
  {
    using events = backend.events();
    await events.snapshot();
    await using guest = await PeerAgent.join(passing);
    const query = { remote: "127.0.0.1:1", check_port: "0" };
    const host = { clientId: "passing" };
    const { id } = await backend.api("createTunnel", { params: host, query });
    await backend.api("deleteTunnel", { params: { clientId: "passing", tunnelId: id } });
    guest.close();
  }
  for (let minute = 0; minute < HOUR_MINUTES; minute += 1) await liveMinute(life);
}

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** What a process holds when nothing is under way. */
async function holdings({ clock }: Life) {
  for (let round = 0; round < 4; round += 1) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { heapUsed, external } = process.memoryUsage();
  return {
    bytes: heapUsed + external,
    timers: clock.timers,
    descriptors: readdirSync("/proc/self/fd").length,
  };
}

it.skipIf(process.platform !== "linux")(
  "F-17: a day of pings, logins, rotations and their ends leaves no timer, descriptor or memory behind (skipped without /proc)",
  { timeout: TEST_MS },
  async () => {
    const clock = new FakeClock();
    await using backend = await startBackend({ clock });
    const password = await makeFleet({ call: backend.api });
    await backend.api("createCredential", { body: { id: ROTATED } });
    const life = { clock, backend, password };
    await using scope = new AsyncDisposableStack();
    for (let n = 0; n < AGENTS; n += 1) {
      const login = { url: backend.url.replace("http", "ws"), user: FLEET, password };
      const introduction = { ID: `host-${n}` };
      scope.use(await PeerAgent.join(Object.assign(login, { introduction })));
    }
    for (let hour = 0; hour < WARM_HOURS; hour += 1) await liveHour(life);
    const before = await holdings(life);
    for (let hour = WARM_HOURS; hour < HOURS; hour += 1) await liveHour(life);
    const after = await holdings(life);
    expect(after.timers - before.timers).toBeLessThanOrEqual(GROWTH);
    expect(after.descriptors - before.descriptors).toBeLessThanOrEqual(GROWTH);
    expect(after.bytes - before.bytes).toBeLessThan(GROWTH_BYTES);
    expect(await backend.api("getCredential", { params: { authId: ROTATED } })).toMatchObject({
      rotation: null,
      secrets_grace: 0,
    });
  },
);
