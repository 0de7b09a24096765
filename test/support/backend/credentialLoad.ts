import { randomBytes } from "node:crypto";
import type { SeededRandom } from "../random.ts";
import type { TestApi } from "./api.ts";

/** A login of which the outcome is certain. */
export interface KnownLogin {
  readonly authId: string;
  readonly password: string;
  /** Whether the server has to let it in. */
  readonly opens: boolean;
}

/** What was answered about one credential. */
interface Known {
  /** `unknown`: a create or a delete was not answered. */
  state: "present" | "absent" | "unknown";
  /** Whether each opens; `unknown` when the change that decides it was not answered. */
  readonly passwords: Map<string, boolean | "unknown">;
  /** Secrets that were answered; revoked ones stay listed. */
  secrets: number;
  isRotated: boolean;
}

/**
 * Changes credentials from many sides at once and keeps account of what a server has answered: that
 * has to be true ever after. What it has not answered may be true or not, but not half.
 */
export class CredentialLoad {
  /** Changes that were answered so far. */
  answered = 0;
  readonly known = new Map<string, Known>();
  readonly #random: SeededRandom;
  readonly #gracesS: readonly [number, ...number[]];
  #lastId = 0;

  /** `gracesS`: for how many seconds rotations may leave the old secrets working; 0 ends them. */
  constructor(random: SeededRandom, gracesS: readonly [number, ...number[]] = [0, 3_600]) {
    this.#random = random;
    this.#gracesS = gracesS;
  }

  /** Works in `workers` lanes, one change after the other, until `signal` fires or a call fails. */
  async run(api: TestApi, workers: number, signal: AbortSignal): Promise<void> {
    const lane = async (): Promise<void> => {
      const own: string[] = [];
      while (!signal.aborted) await this.#change(api, own);
    };
    // A killed server fails the calls under way; what they meant to change is noted as unknown.
    await Promise.allSettled(Array.from({ length: workers }, lane));
  }

  /** What some logins have to come to: the latest of those that were answered, and any others. */
  logins(count: number): KnownLogin[] {
    const all = [...this.known].flatMap(([authId, { passwords }]) =>
      [...passwords].map(([password, opens]) => ({ authId, password, opens })),
    );
    const certain = all.flatMap((one) => (one.opens === "unknown" ? [] : [one as KnownLogin]));
    const latest = certain.splice(-Math.ceil(count / 2));
    const others = Array.from({ length: Math.min(count - latest.length, certain.length) }, () =>
      certain.splice(this.#random.below(certain.length), 1),
    );
    return [...latest, ...others.flat()];
  }

  async #change(api: TestApi, own: string[]): Promise<void> {
    const index = this.#random.below(own.length + 1);
    const id = own[index];
    const known = id === undefined ? undefined : this.known.get(id);
    if (id === undefined || known === undefined) {
      own.push(await this.#create(api));
      return;
    }
    const action = this.#random.pick(["addSecret", "addSecret", "rotate", "delete"]);
    if (action === "addSecret") await this.#addSecret(api, id, known);
    else if (action === "rotate") await this.#rotate(api, id, known);
    else {
      own.splice(index, 1);
      await this.#delete(api, id, known);
    }
  }

  async #create(api: TestApi): Promise<string> {
    this.#lastId += 1;
    const id = `load-${this.#lastId}`;
    const given = this.#password();
    const known: Known = { state: "unknown", passwords: new Map(), secrets: 0, isRotated: false };
    this.known.set(id, known);
    if (given.password !== undefined) known.passwords.set(given.password, "unknown");
    const { password } = await api.call("createCredential", { body: { id, ...given } });
    known.state = "present";
    this.#added(known, password);
    return id;
  }

  async #addSecret(api: TestApi, authId: string, known: Known): Promise<void> {
    const given = this.#password();
    if (given.password !== undefined) known.passwords.set(given.password, "unknown");
    const { password } = await api.call("addSecret", { params: { authId }, body: given });
    this.#added(known, password);
  }

  /** A rotation leaves the old secrets working for a while, or ends them. */
  async #rotate(api: TestApi, authId: string, known: Known): Promise<void> {
    const graceS = this.#random.pick(this.#gracesS);
    const was = [...known.passwords.keys()];
    if (graceS === 0) for (const password of was) known.passwords.set(password, "unknown");
    const body = { grace_seconds: graceS };
    await api.call("rotateCredential", { params: { authId }, body });
    known.isRotated = true;
    this.answered += 1;
  }

  async #delete(api: TestApi, authId: string, known: Known): Promise<void> {
    known.state = "unknown";
    for (const password of known.passwords.keys()) known.passwords.set(password, "unknown");
    await api.call("deleteCredential", { params: { authId }, query: { force: "true" } });
    known.state = "absent";
    for (const password of known.passwords.keys()) known.passwords.set(password, false);
    this.answered += 1;
  }

  #added(known: Known, password: string): void {
    known.passwords.set(password, true);
    known.secrets += 1;
    this.answered += 1;
  }

  /** Mostly generated, sometimes given in that form; those that people type take 60 ms each. */
  #password(): { readonly password?: string } {
    const kind = this.#random.below(20);
    if (kind === 0) return { password: `typed by hand ${this.#random.below(2 ** 30)}` };
    return kind < 6 ? { password: randomBytes(32).toString("base64url") } : {};
  }
}
