import type { AuthId, ClientId, SecretId } from "@rport/protocol/ids";
import { isSameVerifier } from "../../passwords/verifier.ts";
import type { AddressRule } from "../../platform/addressRule.ts";
import { addressRule } from "../../platform/addressRule.ts";
import { ownBytes } from "../../platform/ownBytes.ts";
import type { SecretEdit, ShiftEdit } from "../../store/edits/secretEdit.ts";
import { editRow } from "../../store/edits/secretEdit.ts";
import type { CredentialRecord } from "../../store/records/credentialRecord.ts";
import type { RotationRow, SecretRow } from "../../store/records/secretRow.ts";
import type { ShiftRow } from "../../store/records/shiftRow.ts";

/**
 * A credential as it is in memory: what is on disk, arranged so that a login finds its secret in
 * one step. Changed only by an edit that is in force.
 */
export class LedgerEntry {
  readonly id: AuthId;
  /** Salt of its typed passwords. */
  readonly salt: Buffer;
  /** Typed passwords that passed: a keyed hash of the password to the secret. */
  readonly passed = new Map<string, SecretId>();
  readonly #secrets = new Map<SecretId, SecretRow>();
  readonly #byVerifier = new Map<string, SecretId>();
  readonly #byClient = new Map<ClientId, Set<SecretId>>();
  readonly #shifts = new Map<ClientId, ShiftRow>();
  #record: CredentialRecord;
  #allows: AddressRule;
  #rotation: RotationRow | undefined;
  #lastSeq = 0;

  constructor(record: CredentialRecord) {
    this.id = record.id;
    this.salt = ownBytes(Buffer.from(record.salt, "base64url"));
    this.#record = record;
    this.#allows = addressRule(record.limits.cidrs);
  }

  get record(): CredentialRecord {
    return this.#record;
  }

  /** Its latest rotation, under way or ended. */
  get rotation(): RotationRow | undefined {
    return this.#rotation;
  }

  /** Where a client stands in the rotation that is under way. */
  shiftOf(client: ClientId): ShiftRow | undefined {
    return this.#shifts.get(client);
  }

  /** Where everybody stands in the rotation that is under way. */
  shifts(): ShiftRow[] {
    return [...this.#shifts.values()];
  }

  /** Takes over a changed record. */
  replaceRecord(record: CredentialRecord): void {
    this.#record = record;
    this.#allows = addressRule(record.limits.cidrs);
    this.passed.clear();
  }

  /** Whether its limits let this address in. */
  allows(address: string): boolean {
    return this.#allows(address);
  }

  /** The order number of the next secret. */
  nextSeq(): number {
    this.#lastSeq += 1;
    return this.#lastSeq;
  }

  /** The secret with this id. */
  secret(id: SecretId): SecretRow | undefined {
    return this.#secrets.get(id);
  }

  /** All secrets. */
  secrets(): SecretRow[] {
    return [...this.#secrets.values()];
  }

  /** The secrets only this client may use, oldest first. */
  secretsOf(client: ClientId): SecretRow[] {
    const rows = [...(this.#byClient.get(client) ?? [])].map((id) => this.#secrets.get(id));
    return rows.filter((row) => row !== undefined).sort((one, other) => one.seq - other.seq);
  }

  /** The secret with this verifier. */
  find(verifier: Buffer): SecretRow | undefined {
    const id = this.#byVerifier.get(verifier.toString("base64"));
    const row = id === undefined ? undefined : this.#secrets.get(id);
    return row !== undefined && isSameVerifier(row.verifier, verifier) ? row : undefined;
  }

  /** Follows an edit that is in force. */
  apply(edit: SecretEdit): void {
    switch (edit.kind) {
      case "rotation":
        this.#rotation = edit.row;
        break;
      case "add":
        this.#put(edit.row);
        break;
      case "remove":
        this.#drop(edit.id);
        break;
      case "shift":
      case "shifted":
      case "clearShifts":
        this.#applyShift(edit);
        break;
      default: {
        const row = this.#secrets.get(edit.id);
        if (row !== undefined) this.#put(editRow(row, edit), edit.kind === "used");
      }
    }
  }

  #applyShift(edit: ShiftEdit): void {
    if (edit.kind === "clearShifts") this.#clearShifts(edit.client);
    else if (edit.kind === "shift") this.#shifts.set(edit.row.client_id, edit.row);
    else {
      const row = this.#shifts.get(edit.client);
      if (row?.secret_id === edit.secret) this.#shifts.set(edit.client, { ...row, ...edit.to });
    }
  }

  #clearShifts(client: ClientId | undefined): void {
    if (client === undefined) this.#shifts.clear();
    else this.#shifts.delete(client);
  }

  #put(row: SecretRow, isHarmless = false): void {
    if (row.scheme === "scrypt" && !isHarmless) this.passed.clear();
    this.#unlist(this.#secrets.get(row.id));
    this.#lastSeq = Math.max(this.#lastSeq, row.seq);
    this.#secrets.set(row.id, row);
    this.#byVerifier.set(Buffer.from(row.verifier).toString("base64"), row.id);
    if (row.client_id === null) return;
    const ids = this.#byClient.get(row.client_id) ?? new Set();
    this.#byClient.set(row.client_id, ids.add(row.id));
  }

  #drop(id: SecretId): void {
    const row = this.#secrets.get(id);
    if (row === undefined) return;
    if (row.scheme === "scrypt") this.passed.clear();
    this.#secrets.delete(id);
    this.#byVerifier.delete(Buffer.from(row.verifier).toString("base64"));
    this.#unlist(row);
  }

  #unlist(row: SecretRow | undefined): void {
    if (row === undefined || row.client_id === null) return;
    const ids = this.#byClient.get(row.client_id);
    ids?.delete(row.id);
    if (ids?.size === 0) this.#byClient.delete(row.client_id);
  }
}
