import { textOf } from "../errorText.ts";

/** How to take back what was done so far; the last change is taken back first. */
export class Undo {
  readonly #steps: { readonly title: string; readonly run: () => Promise<void> }[] = [];

  /** Remembers how to take back a change that was just made, or is about to be. */
  add(title: string, run: () => Promise<void>): void {
    this.#steps.push({ title, run });
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
