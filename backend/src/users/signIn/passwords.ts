import { RportError } from "@rport/protocol/errors";
import { whyNotPassword } from "../../passwords/passwordRule.ts";
import { isSameVerifier, scryptVerifier } from "../../passwords/verifier.ts";
import { Lane } from "../../platform/lane.ts";
import { bytes } from "../../platform/random.ts";
import type { PasswordRecord } from "../../store/records/userRecord.ts";

/**
 * One derivation at a time, beside the two of the agents' passwords: files need a thread of the
 * same pool. A network waits for its own; others wait for one of those.
 */
const DERIVATIONS = { running: 1, waitingOfOne: 256, waiting: 1_024 } as const;
const SALT_BYTES = 16;
const VERIFIER_BYTES = 32;

/** Stands for the password of whoever has none, so that the answer takes as long. */
const NOBODYS: PasswordRecord = {
  scheme: "scrypt",
  salt: bytes(SALT_BYTES).toString("base64url"),
  verifier: bytes(VERIFIER_BYTES).toString("base64url"),
};

/** The passwords of users: derived slowly, few at a time. */
export class Passwords {
  readonly #lane = new Lane(DERIVATIONS);
  readonly #minLength: number;

  constructor(minLength: number) {
    this.#minLength = minLength;
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
    { password, network, mayTry }: PasswordTry,
  ): Promise<boolean> {
    const { salt, verifier } = kept ?? NOBODYS;
    return this.#run(network, async () => {
      mayTry();
      const derived = await scryptVerifier(password, Buffer.from(salt, "base64url"));
      return isSameVerifier(derived, Buffer.from(verifier, "base64url")) && kept != null;
    });
  }

  /** What is kept of a new password. Fails with `BAD_REQUEST`, or with `UNAVAILABLE`. */
  async derive(password: string, network: string): Promise<PasswordRecord> {
    this.require(password);
    const salt = bytes(SALT_BYTES);
    const verifier = await this.#run(network, () => scryptVerifier(password, salt));
    return {
      scheme: "scrypt",
      salt: salt.toString("base64url"),
      verifier: verifier.toString("base64url"),
    };
  }

  #run<T>(network: string, job: () => Promise<T>): Promise<T> {
    const outcome = this.#lane.run(job, network);
    if (outcome !== undefined) return outcome;
    throw new RportError("UNAVAILABLE", "Too many passwords are being checked.");
  }
}

/** A password that somebody tries. */
export interface PasswordTry {
  readonly password: string;
  readonly network: string;
  readonly mayTry: () => void;
}
