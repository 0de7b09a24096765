import { createSecretKey } from "node:crypto";
import { NetworkLane, type NetworkLaneDeps } from "../../passwords/networkLane.ts";
import { hmacVerifier, scryptVerifier } from "../../passwords/verifier.ts";
import { bytes } from "../../platform/random.ts";
import type { SecretRow } from "../../store/records/secretRow.ts";
import type { LedgerEntry } from "./ledgerEntry.ts";

/** Each derivation takes 32 MiB and a thread of the pool that files also use. */
const RUNNING = 2;
/** People's new ones wait beside those of networks. */
const ADMINISTRATION = "administration";

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
  readonly #lane: NetworkLane;
  readonly #running = new Map<string, Promise<Buffer | undefined>>();

  constructor(limits: NetworkLaneDeps["limits"]) {
    this.#lane = new NetworkLane({
      limits,
      running: RUNNING,
      waiting: "waiting_agent_passwords",
      waitingOfOne: "waiting_agent_passwords_per_network",
    });
  }

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
  derive(password: string, salt: Buffer, address = ADMINISTRATION): Promise<Buffer | undefined> {
    return this.#lane.run(address, () => scryptVerifier(password, salt));
  }

  async #derive(
    entry: LedgerEntry,
    { password, address }: Attempt,
    key: string,
  ): Promise<Buffer | undefined> {
    const shared = this.#running.get(key);
    if (shared !== undefined) return shared;
    const run = this.derive(password, entry.salt, address);
    this.#running.set(key, run);
    try {
      return await run;
    } finally {
      this.#running.delete(key);
    }
  }

  #keyOf({ authId, password }: Attempt): string {
    return hmacVerifier(this.#bootKey, JSON.stringify([authId, password])).toString("base64");
  }
}
