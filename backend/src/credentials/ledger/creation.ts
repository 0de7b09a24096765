import type { KeyObject } from "node:crypto";
import { RportError } from "@rport/protocol/errors";
import type { AuthId } from "@rport/protocol/ids";
import { authIdSchema, whyNotAuthId } from "@rport/protocol/ids";
import { type CredentialLimits, NO_LIMITS } from "@rport/protocol/model";
import { whyNotPassword } from "../../passwords/passwordRule.ts";
import { hmacVerifier, schemeOf } from "../../passwords/verifier.ts";
import { whyNotCidrs } from "../../platform/addressRule.ts";
import type { Clock } from "../../platform/clock.ts";
import { toTime } from "../../platform/clock.ts";
import { bytes } from "../../platform/random.ts";
import type { EditStore } from "../../store/edits/editStore.ts";
import type { CredentialRecord } from "../../store/records/credentialRecord.ts";
import { noSuchCredential } from "../../store/records/noSuchCredential.ts";
import type { Ledger } from "./ledger.ts";
import { LedgerEntry } from "./ledgerEntry.ts";
import type { MintedSecret } from "./minting.ts";
import { mintSecret, newRow } from "./minting.ts";
import type { TypedPasswords } from "./typedPasswords.ts";

/** A credential somebody wants. Without `password` its first secret is generated. */
export interface NewCredential {
  readonly id: string;
  readonly password?: string | undefined;
  readonly label?: string;
  readonly kind?: "host" | "fleet";
  readonly limits?: CredentialLimits;
  readonly createdBy: string;
  /** See `SecretInput`. */
  readonly requireRight?: () => void;
}

/** A further secret somebody wants. */
export interface SecretInput {
  /** Absent: it is generated. */
  readonly password?: string | undefined;
  /** Throws when whoever asks may no longer: asked after a typed password was worked on. */
  readonly requireRight?: () => void;
}

/** The only answer that ever contains the password. */
export interface IssuedSecret {
  readonly id: AuthId;
  readonly secretId: MintedSecret["secretId"];
  readonly password: string;
}

/** What creation needs. */
export interface CreationDeps {
  readonly ledger: Ledger;
  readonly store: Pick<EditStore, "commit">;
  readonly typed: TypedPasswords;
  readonly verifierKey: KeyObject;
  readonly clock: Clock;
  /** Fewest characters of a typed password. */
  readonly passwordMinLength: number;
}

/** Makes credentials and further secrets of them. */
export class Creation {
  readonly #deps: CreationDeps;

  constructor(deps: CreationDeps) {
    this.#deps = deps;
  }

  /** Fails with `ERR_CODE_INVALID_REQUEST`, which says why, or `ERR_CODE_ALREADY_EXIST`. */
  async create(input: NewCredential): Promise<IssuedSecret> {
    const { ledger, store, clock } = this.#deps;
    const record = toRecord(input, clock.now());
    this.#checkPassword(input.password);
    if (ledger.get(record.id) !== undefined) throw exists(`The credential "${record.id}"`);
    const minted = await this.#mint(new LedgerEntry(record), input.password);
    input.requireRight?.();
    await store.commit([
      { kind: "create", record },
      { kind: "add", row: minted.row },
    ]);
    return { id: record.id, secretId: minted.secretId, password: minted.secret };
  }

  /**
   * A further secret, generated or typed, that any client may use. Fails with
   * `ERR_CODE_CLIENT_AUTH_NOT_FOUND` when the credential is deleted meanwhile.
   */
  async addSecret(
    entry: LedgerEntry,
    { password, requireRight }: SecretInput,
  ): Promise<IssuedSecret> {
    const { ledger, store } = this.#deps;
    this.#checkPassword(password);
    const minted = await this.#mint(entry, password);
    requireRight?.();
    // Deriving takes a while: a secret of a credential that was deleted meanwhile would wait on
    // disk for the next credential of that name.
    if (ledger.need(entry.id) !== entry) throw noSuchCredential();
    if (entry.find(Buffer.from(minted.row.verifier)) !== undefined) {
      throw exists(`This password of the credential "${entry.id}"`);
    }
    await store.commit([{ kind: "add", row: minted.row }]);
    return { id: entry.id, secretId: minted.secretId, password: minted.secret };
  }

  async #mint(entry: LedgerEntry, password: string | undefined): Promise<MintedSecret> {
    const { verifierKey, clock } = this.#deps;
    const nowMs = clock.now();
    if (password === undefined) return mintSecret(entry, verifierKey, { origin: "initial", nowMs });
    const given = { secret: password, verifier: await this.#verifier(entry, password) };
    const row = newRow(entry, { origin: "typed", nowMs }, given);
    return { secretId: row.id, secret: password, row };
  }

  async #verifier(entry: LedgerEntry, password: string): Promise<Buffer> {
    const { typed, verifierKey } = this.#deps;
    if (schemeOf(password) === "hmac") return hmacVerifier(verifierKey, password);
    const verifier = await typed.derive(password, entry.salt);
    if (verifier !== undefined) return verifier;
    throw new RportError("UNAVAILABLE", "Too many passwords are being checked; try again soon.");
  }

  #checkPassword(password: string | undefined): void {
    if (password === undefined) return;
    const reason = whyNotPassword(password, this.#deps.passwordMinLength);
    if (reason !== undefined) throw invalid(reason);
  }
}

function toRecord(input: NewCredential, nowMs: number): CredentialRecord {
  const limits = input.limits ?? NO_LIMITS;
  const reason = whyNotAuthId(input.id) ?? whyNotCidrs(limits.cidrs);
  if (reason !== undefined) throw invalid(reason);
  return {
    id: authIdSchema.parse(input.id),
    label: input.label ?? "",
    kind: input.kind ?? "fleet",
    state: "active",
    created_at: toTime(nowMs),
    created_by: input.createdBy,
    limits,
    salt: bytes(16).toString("base64url"),
  };
}

function invalid(reason: string): RportError {
  return new RportError("ERR_CODE_INVALID_REQUEST", reason);
}

function exists(what: string): RportError {
  return new RportError("ERR_CODE_ALREADY_EXIST", `${what} exists already.`);
}
