import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { type SeededRandom, seededRandom } from "../support/random.ts";
import type { Fault } from "./fault.ts";
import { FAULTS } from "./faultTable.ts";
import { openScene, type Scene } from "./scene.ts";
import { FULL, SHORT, type Sizes } from "./sizes.ts";
import { Trial } from "./trial.ts";
import { countsOf, textOf, type Verdict } from "./verdict.ts";

const NAMES = FAULTS.map(({ name }) => name);
const USAGE = `npm run chaos -- [--short] [--seed NUMBER] [${NAMES.join(" | ")}]...`;

/** Runs each fault on a scene; one that a fault has wrecked is made anew for the next. */
class Run implements AsyncDisposable {
  readonly verdicts: Verdict[] = [];
  readonly #sizes: Sizes;
  readonly #random: SeededRandom;
  #scene: Scene | undefined;

  constructor(sizes: Sizes, random: SeededRandom) {
    this.#sizes = sizes;
    this.#random = random;
  }

  async try(fault: Fault): Promise<void> {
    const verdict = await this.#verdictOf(fault);
    this.verdicts.push(verdict);
    console.log(`${textOf(verdict)}\n`);
    if (verdict.failure !== undefined) await this[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const scene = this.#scene;
    this.#scene = undefined;
    await scene?.[Symbol.asyncDispose]();
  }

  async #verdictOf(fault: Fault): Promise<Verdict> {
    const { name, title } = fault;
    try {
      this.#scene ??= await openScene(this.#sizes, this.#random);
    } catch (error) {
      return { name, title, seconds: 0, findings: [], failure: `no scene: ${String(error)}` };
    }
    const lack = fault.lacks?.(this.#scene);
    if (lack !== undefined) return { name, title, seconds: 0, findings: [], lack };
    return Trial.run(this.#scene, fault);
  }
}

async function main(): Promise<number> {
  const options = {
    short: { type: "boolean" },
    seed: { type: "string" },
    report: { type: "string" },
  } as const;
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  if (!positionals.every((name) => NAMES.includes(name))) throw new Error(USAGE);
  if (values.seed !== undefined) process.env.RPORT_TEST_SEED = values.seed;
  const random = seededRandom();
  const sizes = values.short === true ? SHORT : FULL;
  console.log(`seed ${random.seed}: ${USAGE}\n`);
  await using run = new Run(sizes, random);
  stopOnSignal(run);
  for (const fault of FAULTS) {
    if (positionals.length === 0 || positionals.includes(fault.name)) await run.try(fault);
  }
  const short = values.short === true ? "--short " : "";
  const counts = countsOf(run.verdicts, `npm run chaos -- ${short}--seed ${random.seed}`);
  for (const note of counts.notes) console.log(note);
  if (values.report !== undefined) writeFileSync(values.report, JSON.stringify(counts));
  console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  return counts.failed === 0 ? 0 : 1;
}

/** What was mounted and started goes, however the run ends. */
function stopOnSignal(run: Run): void {
  const stop = () => void run[Symbol.asyncDispose]().finally(() => process.exit(1));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, stop);
}

process.exitCode = await main();
