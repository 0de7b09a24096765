import { createHmac, createSecretKey } from "node:crypto";
import { schemeOf } from "../../passwords/verifier.ts";
import { bytes } from "../../platform/random.ts";
import { RecentMap } from "../../platform/recentMap.ts";

/** Typed secrets remembered; those that were used longest ago go first. */
const SECRETS_MAX = 20_000;

/** Who tries which secret, and from which network. */
export interface Trial {
  readonly network: string;
  readonly authId: string;
  readonly secret: string;
}

/**
 * Which secrets nobody can be guessing: those that the server generated have 256 bits, and a typed one
 * was right in this network before. A neighbour who guesses must not keep them out. Typed ones are
 * kept as a digest under a key of this process.
 */
export class RightSecrets {
  readonly #key = createSecretKey(bytes(32));
  readonly #seen = new RecentMap<string, true>(SECRETS_MAX);

  /** Whether a try with this secret is none of those that have to wait. */
  isNoGuess(trial: Trial): boolean {
    return schemeOf(trial.secret) === "hmac" || this.#seen.get(this.#digest(trial)) === true;
  }

  /** The secret was right. */
  passed(trial: Trial): void {
    if (schemeOf(trial.secret) === "scrypt") this.#seen.set(this.#digest(trial), true);
  }

  #digest({ network, authId, secret }: Trial): string {
    const text = JSON.stringify([network, authId, secret]);
    return createHmac("sha256", this.#key).update(text).digest("base64url");
  }
}
