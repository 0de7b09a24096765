import { textOf } from "../platform/errorText.ts";

/**
 * How to take back what was done so far; the last change is taken back first. When all went well,
 * `forget` drops what was only kept for that.
 */
export class Undo {
  readonly #kept: (() => Promise<void>)[] = [];
  readonly #steps: { readonly title: string; readonly run: () => Promise<void> }[] = [];

  /** Remembers how to take back a change that was just made, or is about to be. */
  add(title: string, run: () => Promise<void>): void {
    this.#steps.push({ title, run });
  }

  /** Remembers how to drop something that is only kept to be brought back. */
  keep(drop: () => Promise<void>): void {
    this.#kept.push(drop);
  }

  /** Drops what was kept: from now on there is no way back. */
  async forget(): Promise<void> {
    for (const drop of this.#kept.splice(0)) await drop();
    this.#steps.length = 0;
  }

  /** Takes everything back as far as possible; the answer tells what could not be. */
  async run(): Promise<readonly string[]> {
    const troubles: string[] = [];
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step.run();
      } catch (error) {
        troubles.push(`${step.title}: ${textOf(error)}`);
      }
    }
    return troubles;
  }
}
