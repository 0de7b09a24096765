// A run of named stages: each is timed, none stops the others, and all end in one table.

/**
 * @typedef {object} Counts what a stage answers
 * @property {number} passed
 * @property {number} failed
 * @property {number} skipped
 * @property {string[]} notes sentences for the end of the run: what was skipped, and why
 * @property {boolean} [dependsOnMachine] what was skipped needs what not every machine has: it counts as
 *   skipped everywhere
 */

/** One test that passed or failed. */
export const single = (passed) => ({
  passed: passed ? 1 : 0,
  failed: passed ? 0 : 1,
  skipped: 0,
  notes: [],
});

/** One part that could not run. */
export const skipped = (reason) => ({ passed: 0, failed: 0, skipped: 1, notes: [reason] });

const secondsSince = (startMs) => (Date.now() - startMs) / 1000;

/** Whether what a stage skipped counts as failed. */
const isRefused = (isStrict, { dependsOnMachine = false }) => isStrict && !dependsOnMachine;

/** Collects stages. Where `isStrict`, a skipped test counts as failed, unless the machine decides. */
export class StageRun {
  #isStrict;
  #rows = [];

  constructor({ isStrict }) {
    this.#isStrict = isStrict;
  }

  /**
   * Runs one stage and records it; an exception is one failure.
   *
   * @param {string} name
   * @param {() => Promise<Counts> | Counts} body
   */
  async stage(name, body) {
    console.log(`\n=== ${name}`);
    const startMs = Date.now();
    let counts;
    try {
      counts = await body();
    } catch (error) {
      console.log(error instanceof Error ? error.message : String(error));
      counts = single(false);
    }
    this.record(name, counts, secondsSince(startMs));
  }

  /** Records a stage that ran elsewhere. */
  record(name, counts, seconds) {
    const row = isRefused(this.#isStrict, counts)
      ? { ...counts, failed: counts.failed + counts.skipped, skipped: 0 }
      : counts;
    this.#rows.push({ name, ...row, seconds });
    const verdict = row.failed > 0 ? "FAILED" : row.skipped > 0 ? "ok, with skips" : "ok";
    console.log(`--- ${name}: ${verdict}, ${seconds.toFixed(1)} s`);
  }

  /**
   * Prints the table and, as the last line, the sums.
   *
   * @returns {boolean} whether nothing failed
   */
  finish() {
    const total = (key) => this.#rows.reduce((sum, row) => sum + row[key], 0);
    const line = (cells) => cells.map((cell, at) => String(cell).padStart(at ? 9 : -1));
    console.log(
      `\n${"stage".padEnd(14)}${line(["", "passed", "failed", "skipped", "seconds"]).join("")}`,
    );
    for (const { name, passed, failed, skipped: skips, seconds } of this.#rows) {
      const cells = line(["", passed, failed, skips, seconds.toFixed(1)]).join("");
      console.log(`${name.padEnd(14)}${cells}`);
    }
    for (const { name, notes } of this.#rows)
      for (const note of notes) console.log(`${name}: ${note}`);
    if (this.#rows.some((row) => row.notes.length > 0 && isRefused(this.#isStrict, row))) {
      console.log("CI=true: what was skipped counts as failed");
    }
    const skips = total("skipped");
    if (skips > 0) console.log(`${skips} skipped`);
    console.log(`${total("passed")} passed, ${total("failed")} failed`);
    return total("failed") === 0;
  }
}
