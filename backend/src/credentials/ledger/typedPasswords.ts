import { createSecretKey } from "node:crypto";
import { hmacVerifier, scryptVerifier } from "../../passwords/verifier.ts";
import { Lane } from "../../platform/lane.ts";
import { bytes } from "../../platform/random.ts";
import type { SecretRow } from "../../store/records/secretRow.ts";
import type { LedgerEntry } from "./ledgerEntry.ts";

/** Each derivation takes 32 MiB and a thread of the pool that files also use. */
const DERIVATIONS = { running: 2, waiting: 64 } as const;
/** So that one address cannot fill the queue for all. */
const PER_ADDRESS = 16;

/** A password that somebody tries, and where from. */
export interface Attempt {
  /** As it was given, whether there is such a credential or not. */
  readonly authId: string;
  readonly password: string;
  readonly address: string;
}

/**
 * Checks typed passwords. The first success of each costs a slow derivation; afterwards the
 * process remembers a keyed hash of it. Agents that try the same password at the same time share
 * one derivation, so a fleet behind one password comes back at once.
 */
export class TypedPasswords {
  readonly #bootKey = createSecretKey(bytes(32));
  readonly #lane = new Lane(DERIVATIONS);
  readonly #running = new Map<string, Promise<Buffer>>();
  readonly #perAddress = new Map<string, number>();

  /** The secret that the password opens; `busy` when too many are being checked. */
  async find(entry: LedgerEntry, attempt: Attempt): Promise<SecretRow | undefined | "busy"> {
    const key = this.#keyOf(attempt);
    const known = entry.passed.get(key);
    if (known !== undefined) return entry.secret(known);
    const verifier = await this.#derive(entry, attempt, key);
    if (verifier === undefined) return "busy";
    return entry.find(verifier);
  }

  /**
   * Remembers that the password let somebody in. Whatever does not is derived each time: a quick
   * refusal would tell that the password had once been right.
   */
  passed(entry: LedgerEntry, attempt: Attempt, row: SecretRow): void {
    if (row.scheme === "scrypt") entry.passed.set(this.#keyOf(attempt), row.id);
  }

  /** The verifier of a new password; `undefined` when too many are being checked. */
  derive(password: string, salt: Buffer): Promise<Buffer> | undefined {
    return this.#lane.run(() => scryptVerifier(password, salt));
  }

  async #derive(
    entry: LedgerEntry,
    { password, address }: Attempt,
    key: string,
  ): Promise<Buffer | undefined> {
    const shared = this.#running.get(key);
    if (shared !== undefined) return shared;
    const count = this.#perAddress.get(address) ?? 0;
    const run = count < PER_ADDRESS ? this.derive(password, entry.salt) : undefined;
    if (run === undefined) return undefined;
    this.#running.set(key, run);
    this.#perAddress.set(address, count + 1);
    try {
      return await run;
    } finally {
      this.#running.delete(key);
      this.#leave(address);
    }
  }

  #leave(address: string): void {
    const left = (this.#perAddress.get(address) ?? 1) - 1;
    if (left > 0) this.#perAddress.set(address, left);
    else this.#perAddress.delete(address);
  }

  #keyOf({ authId, password }: Attempt): string {
    return hmacVerifier(this.#bootKey, JSON.stringify([authId, password])).toString("base64");
  }
}
