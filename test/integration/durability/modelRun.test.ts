import fc from "fast-check";
import { expect, it } from "vitest";
import type { ModelHost } from "../../support/model/fleetModel.ts";
import { CREDENTIALS, FleetRun, HOSTS } from "../../support/model/fleetRun.ts";

/** What is done, to which host and credential, and a number that chooses among what there is. */
interface Step {
  readonly act: keyof typeof ACTS;
  readonly host: (typeof HOSTS)[number];
  readonly credential: (typeof CREDENTIALS)[number];
  readonly choice: number;
}

type Act = (run: FleetRun, of: Step & { readonly on: ModelHost }) => Promise<void>;

/** One of the items; undefined when there is none. */
function chosen<T>(items: readonly T[], { choice }: Step): T | undefined {
  return items[choice % Math.max(items.length, 1)];
}

const ACTS = {
  create: (run, { credential }) => run.create(credential),
  addSecret: (run, { credential }) => run.addSecret(credential),
  async connect(run, step) {
    const secret = chosen(run.model.secretsOf(step.credential).toReversed(), step);
    if (secret !== undefined) await run.connect(step.on, step.credential, secret);
  },
  async steal(run, step) {
    const open = run.model.secretsOf(step.credential).filter(({ opens, host }) => opens && !host);
    const secret = chosen(open, step);
    const isKnown = step.on.credential !== undefined;
    if (secret !== undefined && isKnown) await run.steal(step.on, step.credential, secret);
  },
  cut: (run, { on }) => run.cut(on),
  rotate: (run, { credential }) => run.rotate(credential),
  async revokeSecret(run, step) {
    const secret = chosen(
      run.model.secretsOf(step.credential).filter(({ opens }) => opens),
      step,
    );
    if (secret !== undefined) await run.revokeSecret(step.credential, secret);
  },
  async revokeHost(run, { on }) {
    if (on.credential !== undefined) await run.revokeHost(on);
  },
  async allowHost(run, { on }) {
    if (on.credential !== undefined) await run.allowHost(on);
  },
  remove: (run, { credential }) => run.remove(credential),
  openTunnel: (run, { on, choice }) => run.openTunnel(on, String(1_000 + (choice % 3))),
  async closeTunnel(run, step) {
    const tunnel = chosen([...step.on.tunnels.keys()], step);
    if (tunnel !== undefined) await run.closeTunnel(step.on, tunnel);
  },
  restart: (run) => run.restart(),
} as const satisfies Readonly<Record<string, Act>>;

/** How often each is done, beside the others. */
const WEIGHTS: Readonly<Record<keyof typeof ACTS, number>> = {
  create: 3,
  addSecret: 3,
  connect: 12,
  steal: 5,
  cut: 4,
  rotate: 2,
  revokeSecret: 2,
  revokeHost: 1,
  allowHost: 2,
  remove: 1,
  openTunnel: 4,
  closeTunnel: 1,
  restart: 1,
};

const acts = Object.entries(WEIGHTS).map(([act, weight]) => ({
  arbitrary: fc.constant(act as keyof typeof ACTS),
  weight,
}));
const step: fc.Arbitrary<Step> = fc.record({
  act: fc.oneof(...acts),
  host: fc.constantFrom(...HOSTS),
  credential: fc.constantFrom(...CREDENTIALS),
  choice: fc.nat({ max: 11 }),
});
const TEST_MS = 120_000;
const SEARCH_MS = 60_000;
const START = { host: "web", credential: "fleet", choice: 0 } as const;

/** `RPORT_TEST_SEED` repeats a run, `RPORT_MODEL_RUNS` makes it longer. */
const { RPORT_TEST_SEED: seed, RPORT_MODEL_RUNS: runs = "8" } = process.env;

it(
  "F-19: random commands leave what a simple model says, after each one and after every restart",
  async () => {
    let steps = 0;
    const run = async (list: readonly Step[]): Promise<void> => {
      await using fleet = await FleetRun.start();
      const all = [
        { ...START, act: "create" as const },
        ...list,
        { ...START, act: "restart" as const },
      ];
      for (const one of all) {
        const act: Act = ACTS[one.act];
        await act(fleet, Object.assign({}, one, { on: fleet.model.host(one.host) }));
        await fleet.check();
        steps += 1;
      }
    };
    const given = seed === undefined ? {} : { seed: Number(seed) };
    const property = fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 45, size: "max" }),
      run,
    );
    // A failure is told with its seed and, as far as the time goes, with the fewest steps to it.
    const limits = { numRuns: Number(runs), interruptAfterTimeLimit: SEARCH_MS };
    await fc.assert(property, Object.assign(limits, given));
    expect(steps).toBeGreaterThan(30);
  },
  TEST_MS,
);
