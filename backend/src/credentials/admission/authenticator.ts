import type { KeyObject } from "node:crypto";
import type { AuthId, SecretId } from "@rport/protocol/ids";
import { authIdSchema } from "@rport/protocol/ids";
import { NO_LIMITS } from "@rport/protocol/model";
import { hmacVerifier, schemeOf } from "../../passwords/verifier.ts";
import type { Clock } from "../../platform/clock.ts";
import { toTime } from "../../platform/clock.ts";
import { bytes } from "../../platform/random.ts";
import type { SteadyTime } from "../../platform/steadyTime.ts";
import type { SecretRow } from "../../store/records/secretRow.ts";
import { isCredentialExpired, isExpired } from "../ledger/expiry.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { LedgerEntry } from "../ledger/ledgerEntry.ts";
import type { Attempt, TypedPasswords } from "../ledger/typedPasswords.ts";
import type { LoginFault, LoginResult, RefusedLogin } from "./verdicts.ts";

/** Longer ones are never issued, so they are not worth deriving. */
const PASSWORD_MAX = 1_024;

/** Why a secret that was the right one opens nothing. */
export type SecretFault = Extract<LoginFault, "deleted" | "revoked" | "expired">;

/** What logins are checked against. */
export interface AuthenticatorDeps {
  readonly ledger: Ledger;
  readonly typed: TypedPasswords;
  readonly verifierKey: KeyObject;
  readonly clock: Clock;
  readonly steady: SteadyTime;
}

/**
 * Checks logins in memory, in a time that depends neither on how many credentials there are nor
 * on whether the one that was asked for exists, or ever did.
 */
export class Authenticator {
  readonly #deps: AuthenticatorDeps;
  readonly #nobody: LedgerEntry;

  constructor(deps: AuthenticatorDeps) {
    this.#deps = deps;
    this.#nobody = new LedgerEntry({
      id: authIdSchema.parse("nobody"),
      label: "",
      kind: "fleet",
      state: "active",
      created_at: toTime(0),
      created_by: "",
      limits: NO_LIMITS,
      salt: bytes(16).toString("base64url"),
    });
  }

  /** Never fails; never reads the disk. */
  async login(attempt: Attempt): Promise<LoginResult> {
    const { ledger } = this.#deps;
    const isDeleted = ledger.wasDeleted(attempt.authId);
    const entry = isDeleted ? undefined : ledger.get(attempt.authId as AuthId);
    const absence = isDeleted ? "deleted" : "unknown";
    if (attempt.password.length > PASSWORD_MAX) {
      return { kind: "refused", why: entry === undefined ? absence : "wrong" };
    }
    // Also for those that nothing opens: a quick refusal would tell which ids there were. Stragglers
    // that show one password share one derivation, and the pool is bounded.
    const found = await this.#find(entry ?? this.#nobody, attempt);
    if (found === "busy") return { kind: "refused", why: "busy" };
    if (entry === undefined) return { kind: "refused", why: absence };
    const row = found === undefined ? undefined : entry.secret(found.id);
    if (row === undefined) return { kind: "refused", why: "wrong" };
    const why = this.whyRefused(entry, row) ?? whyNotFrom(entry, attempt.address);
    if (why !== undefined) return { kind: "refused", why, ...ownerOf(row) };
    this.#deps.typed.passed(entry, attempt, row);
    return { kind: "accepted", credentialId: entry.id, secretId: row.id };
  }

  /** Why the secret opens nothing now; `undefined` when it does. */
  whyRefused(entry: LedgerEntry, row: SecretRow): SecretFault | undefined {
    if (this.#deps.ledger.get(entry.id) !== entry) return "deleted";
    if (entry.record.state === "revoked") return "deleted";
    if (row.state === "revoked") return "revoked";
    if (isExpired(row, this.#deps.steady())) return "expired";
    return isCredentialExpired(entry, this.#deps.clock.now()) ? "expired" : undefined;
  }

  async #find(
    entry: LedgerEntry,
    attempt: Attempt,
  ): Promise<{ readonly id: SecretId } | undefined | "busy"> {
    const { typed, verifierKey } = this.#deps;
    if (schemeOf(attempt.password) === "scrypt") return typed.find(entry, attempt);
    return entry.find(hmacVerifier(verifierKey, attempt.password));
  }
}

function ownerOf({ client_id: clientId }: SecretRow): Pick<RefusedLogin, "clientId"> {
  return clientId === null ? {} : { clientId };
}

function whyNotFrom(entry: LedgerEntry, address: string): LoginFault | undefined {
  return entry.allows(address) ? undefined : "address";
}
