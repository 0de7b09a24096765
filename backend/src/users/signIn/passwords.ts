import { RportError } from "@rport/protocol/errors";
import type { Limits } from "../../limits/limits.ts";
import { NetworkLane } from "../../passwords/networkLane.ts";
import { whyNotPassword } from "../../passwords/passwordRule.ts";
import { isSameVerifier, scryptVerifier } from "../../passwords/verifier.ts";
import { bytes } from "../../platform/random.ts";
import type { PasswordRecord } from "../../store/records/userRecord.ts";

const SALT_BYTES = 16;
const VERIFIER_BYTES = 32;

/** Stands for the password of whoever has none, so that the answer takes as long. */
const NOBODYS: PasswordRecord = {
  scheme: "scrypt",
  salt: bytes(SALT_BYTES).toString("base64url"),
  verifier: bytes(VERIFIER_BYTES).toString("base64url"),
};

/** What passwords need. */
export interface PasswordsDeps {
  readonly minLength: number;
  readonly limits: Limits;
}

/**
 * The passwords of users: derived slowly, one at a time, beside the two of the agents' passwords, as
 * files need a thread of the same pool.
 */
export class Passwords {
  readonly #lane: NetworkLane;
  readonly #minLength: number;

  constructor({ minLength, limits }: PasswordsDeps) {
    this.#minLength = minLength;
    this.#lane = new NetworkLane({
      limits,
      running: 1,
      waiting: "waiting_passwords",
      waitingOfOne: "waiting_passwords_per_network",
    });
  }

  /** Fails with `BAD_REQUEST` and the reason when the text cannot be a password. */
  require(password: string): void {
    const reason = whyNotPassword(password, this.#minLength);
    if (reason !== undefined) throw new RportError("BAD_REQUEST", reason);
  }

  /**
   * Whether the password is the one that is kept; takes as long where none is. `mayTry` is asked
   * when its turn has come, and throws where others of the same network have failed meanwhile.
   * Fails with `UNAVAILABLE` when too many are being checked.
   */
  check(
    kept: PasswordRecord | null | undefined,
    { password, address, mayTry }: PasswordTry,
  ): Promise<boolean> {
    const { salt, verifier } = kept ?? NOBODYS;
    return this.#run(address, async () => {
      mayTry();
      const derived = await scryptVerifier(password, Buffer.from(salt, "base64url"));
      return isSameVerifier(derived, Buffer.from(verifier, "base64url")) && kept != null;
    });
  }

  /** What is kept of a new password. Fails with `BAD_REQUEST`, or with `UNAVAILABLE`. */
  async derive(password: string, address: string): Promise<PasswordRecord> {
    this.require(password);
    const salt = bytes(SALT_BYTES);
    const verifier = await this.#run(address, () => scryptVerifier(password, salt));
    return {
      scheme: "scrypt",
      salt: salt.toString("base64url"),
      verifier: verifier.toString("base64url"),
    };
  }

  async #run<T>(address: string, job: () => Promise<T>): Promise<T> {
    const outcome = await this.#lane.run(address, job);
    if (outcome !== undefined) return outcome;
    throw new RportError("UNAVAILABLE", "Too many passwords are being checked.");
  }
}

/** A password that somebody tries. */
export interface PasswordTry {
  readonly password: string;
  readonly address: string;
  readonly mayTry: () => void;
}
