import { createHash } from "node:crypto";
import { eventually } from "../support/eventually.ts";
import { randomFrom, type SeededRandom } from "../support/random.ts";
import { within } from "../support/within.ts";
import type { Fault } from "./fault.ts";
import { judge, lookBefore } from "./judge.ts";
import { Meanwhile } from "./meanwhile.ts";
import type { Scene } from "./scene.ts";
import type { Finding, Verdict } from "./verdict.ts";

/** What the server says when all that it owed the disk is there. */
const WRITTEN = "what was not durable is on disk now";
const WRITTEN_MS = 30_000;
/** A fault, and its judgement, take no longer than this each. */
const TRIAL_MS = 300_000;

/** One fault on a scene: what the fault can do, and what is found. */
export class Trial {
  readonly scene: Scene;
  /** Repeated by the run's seed and the fault's name, whatever other faults there are. */
  readonly random: SeededRandom;
  readonly #meanwhile: Meanwhile;
  readonly #findings: Finding[] = [];

  private constructor(scene: Scene, meanwhile: Meanwhile, name: string) {
    this.scene = scene;
    this.random = randomOf(scene, name);
    this.#meanwhile = meanwhile;
  }

  /** Tries one fault, and says what came of it. */
  static async run(scene: Scene, fault: Fault): Promise<Verdict> {
    const startMs = performance.now();
    const { name, title, harm } = fault;
    const findings: Finding[] = [];
    const failure = await attempt(async () => {
      const before = await lookBefore(scene);
      await using meanwhile = await Meanwhile.begin(scene, name);
      const trial = new Trial(scene, meanwhile, name);
      const what = () => `the end of a trial; found so far: ${JSON.stringify(trial.#findings)}`;
      const running = fault.run(trial).finally(() => findings.push(...trial.#findings));
      await within(what, running, TRIAL_MS);
      const judging = judge({ scene, harm, meanwhile, before });
      findings.push(...(await within("a verdict", judging, TRIAL_MS)));
    });
    const seconds = (performance.now() - startMs) / 1_000;
    const verdict = { name, title, seconds, findings };
    return failure === undefined ? verdict : Object.assign(verdict, { failure });
  }

  /** Writes down whether something holds, and what was seen. */
  note(what: string, isGood: boolean, seen: string): void {
    this.#findings.push({ what, isGood, seen });
  }

  /** Lets time pass while the fault lasts. */
  pause(ms: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ms));
  }

  /** The deletion, which has to be answered with success. */
  async deleteDoomedForSure(): Promise<void> {
    const answer = await this.#deleteDoomed();
    this.note("a deletion during the fault is answered", answer === "done", answer);
  }

  /**
   * The deletion, where nothing can be written: it says that a restart would take it back, and is
   * written when `mend` was called, without a restart.
   */
  async deleteDoomedUnwritten(mend: () => void): Promise<void> {
    const answer = await this.#deleteDoomed();
    const isHonest = answer === "NOT_DURABLE";
    this.note("a deletion says that a restart would take it back", isHonest, answer);
    const { length } = await this.scene.server.log();
    mend();
    const isWritten = await eventually(async () => {
      const log = await this.scene.server.log();
      if (!log.slice(length).includes(WRITTEN)) throw new Error("not yet");
      return true;
    }, WRITTEN_MS).catch(() => false);
    this.note(
      "it is written once that is possible",
      isWritten,
      isWritten ? "logged" : "not logged",
    );
  }

  /** How many of the newcomers are in. */
  async newcomersOnline(): Promise<number> {
    return (await this.#meanwhile.newcomers.state()).online;
  }

  /** New agents want to come in from now on; whether all do is judged when the fault is over. */
  letNewcomersTry(): void {
    this.#meanwhile.letNewcomersTry();
  }

  /** Deletes the credential that exists for this. Answers "done", or with the error's code. */
  async #deleteDoomed(): Promise<string> {
    const { authId, secret } = this.#meanwhile.login;
    this.scene.deleted.set(authId, secret);
    try {
      const call = { params: { authId }, query: { force: "true" } };
      await this.scene.server.api("deleteCredential", call);
      return "done";
    } catch (error) {
      const { code } = error as { readonly code?: string };
      return code ?? String(error);
    }
  }
}

function randomOf({ random }: Scene, name: string): SeededRandom {
  return randomFrom(random.seed ^ createHash("sha256").update(name).digest().readUInt32LE());
}

/** Why it failed; undefined when it did not. */
async function attempt(work: () => Promise<void>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}
