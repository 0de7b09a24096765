import { RportError } from "@rport/protocol/errors";

/** Most questions of one tool that are kept for their answers. */
const KEPT_MAX = 64;

/**
 * What people were told by the questions of one tool. A question may lie open for hours, and others act
 * meanwhile: what was agreed to then is not what would be done now.
 */
export class Confirmations {
  /** By what the model gave; what was asked last is at the end. */
  readonly #told = new Map<string, string>();

  /** A person is asked about what a model gave, and told what counts of the state of things. */
  ask(input: unknown, grounds: string): void {
    const key = JSON.stringify(input);
    this.#told.delete(key);
    this.#told.set(key, grounds);
    const [oldest] = this.#told.keys();
    if (this.#told.size > KEPT_MAX && oldest !== undefined) this.#told.delete(oldest);
  }

  /**
   * Takes the one answer to the question.
   *
   * @throws RportError FORBIDDEN where nobody was asked, CONFLICT where what they were told holds no more
   */
  take(input: unknown, grounds: string): void {
    const key = JSON.stringify(input);
    const told = this.#told.get(key);
    this.#told.delete(key);
    if (told === undefined) throw new RportError("FORBIDDEN", "Nobody was asked about this.");
    if (told === grounds) return;
    const why = "What this would do has changed since the person was asked. Nothing was done.";
    throw new RportError("CONFLICT", `${why} Ask again.`);
  }
}
