import { RportError } from "@rport/protocol/errors";

/** Most questions of one tool that are kept for their answers. */
const KEPT_MAX = 64;

/** What people are told when they are asked. */
export interface Grounds {
  /** The server that it is about: another one may have clients and credentials with the same ids. */
  readonly serverKey: string;
  /** What has to be the same still. */
  readonly state: string;
  /** Who would be hit: fewer may be by then, and nobody else. */
  readonly hit: readonly string[];
}

interface Question extends Grounds {
  /** What the model gave. */
  readonly about: string;
}

/**
 * What people were told by the questions of one tool. A question may lie open for hours, and others act
 * meanwhile: what was agreed to then is not what would be done now.
 */
export class Confirmations {
  /** What was asked first is in front. */
  readonly #open: Question[] = [];

  /** A person is asked about what a model gave. */
  ask(input: unknown, { serverKey, state, hit }: Grounds): void {
    this.#open.push({ about: JSON.stringify(input), serverKey, state, hit });
    if (this.#open.length > KEPT_MAX) this.#open.shift();
  }

  /**
   * Takes the one answer to a question.
   *
   * @throws RportError FORBIDDEN where nobody was asked, CONFLICT where what they were told holds no more
   */
  take(input: unknown, { serverKey, state, hit }: Grounds): void {
    const about = JSON.stringify(input);
    const at = this.#open.findIndex((each) => each.about === about);
    const [told] = at < 0 ? [] : this.#open.splice(at, 1);
    if (told === undefined) throw new RportError("FORBIDDEN", "Nobody was asked about this.");
    const known = new Set(told.hit);
    const isSame = told.serverKey === serverKey && told.state === state;
    if (isSame && hit.every((each) => known.has(each))) return;
    const why = "What this would do has changed since the person was asked. Nothing was done.";
    throw new RportError("CONFLICT", `${why} Ask again.`);
  }
}
