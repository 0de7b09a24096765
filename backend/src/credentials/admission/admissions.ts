import type { AuthId, ClientId, SecretId } from "@rport/protocol/ids";
import type { Clock } from "../../platform/clock.ts";
import type { Log } from "../../platform/log.ts";
import { errorText } from "../../platform/log.ts";
import type { EditStore } from "../../store/edits/editStore.ts";
import type { SecretEdit } from "../../store/edits/secretEdit.ts";
import type { SecretRow } from "../../store/records/secretRow.ts";
import { belongsToOther } from "../ledger/expiry.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { LedgerEntry } from "../ledger/ledgerEntry.ts";
import type { ClientPort } from "../ports.ts";
import type { Authenticator } from "./authenticator.ts";
import { DENIALS, noRoom, refused, UNSURE } from "./denials.ts";
import type { Doubts, ShownHost } from "./doubts.ts";
import { Registering } from "./registering.ts";
import type { AcceptedLogin, Admission, ClientSecret, Denial } from "./verdicts.ts";

/** An offer that is older than this is not being stored any more. */
const STORING_MS = 3_600_000;

/** What admissions are decided by. */
export interface AdmissionsDeps {
  readonly ledger: Ledger;
  readonly authenticator: Authenticator;
  readonly clock: Clock;
  readonly log: Log;
  readonly store: Pick<EditStore, "commit">;
  readonly clients: ClientPort;
  readonly doubts: Doubts;
}

/** Decides whether an agent that signed in may be the client it says it is. */
export class Admissions {
  readonly #deps: AdmissionsDeps;
  readonly #binding = new Map<SecretId, Promise<void>>();
  readonly #registering: Registering;

  constructor(deps: AdmissionsDeps) {
    this.#deps = deps;
    this.#registering = new Registering(deps.clock);
  }

  /** The client is among the credential's records now, and is counted there. */
  recorded(authId: AuthId, id: ClientId): void {
    this.#registering.leave(authId, id);
  }

  /**
   * Binds a single-use secret to its first client, and retires the secrets that the client's
   * present one has replaced; both are on disk before this resolves.
   */
  async admit(login: AcceptedLogin, host: ShownHost): Promise<Admission> {
    const { clientId } = host;
    await this.#binding.get(login.secretId);
    const entry = this.#deps.ledger.get(login.credentialId);
    if (entry === undefined) return refused(DENIALS.deleted);
    const denial = this.whyNot(entry, login.secretId, clientId) ?? this.#whyUnsure(entry, host);
    if (denial !== undefined) return refused(denial);
    this.#note(entry, clientId);
    await this.bind(entry, login.secretId, clientId);
    await this.#retire(entry, login.secretId, clientId);
    const late = this.whyNot(entry, login.secretId, clientId) ?? this.#whyUnsure(entry, host);
    const row = entry.secret(login.secretId);
    if (row === undefined || late !== undefined) return refused(late ?? DENIALS.revoked);
    return { kind: "admitted", secret: toClientSecret(row) };
  }

  /**
   * Makes a single-use secret that is still free the client's own, durably. A second client that
   * brings it meanwhile waits until it is clear whose it is, and has to ask `whyNot` then.
   */
  async bind(entry: LedgerEntry, id: SecretId, clientId: ClientId): Promise<void> {
    for (let other = this.#binding.get(id); other !== undefined; other = this.#binding.get(id)) {
      await other;
    }
    const row = entry.secret(id);
    if (row === undefined || !row.single_use || row.client_id !== null) return;
    const edit = this.#deps.store.commit([{ kind: "bind", credential: entry.id, id, clientId }]);
    this.#binding.set(
      id,
      edit.catch(() => undefined),
    );
    try {
      await edit;
    } finally {
      this.#binding.delete(id);
    }
  }

  /** A full disk must not lock anybody out: what is not retired now is at the next login. */
  async #retire(entry: LedgerEntry, id: SecretId, clientId: ClientId): Promise<void> {
    const row = entry.secret(id);
    const edits = row === undefined ? [] : this.#settled(entry, row, clientId);
    await this.#deps.store.commit(edits).catch((caught: unknown) => {
      this.#deps.log.warn("replaced secrets were not removed", { reason: errorText(caught) });
    });
  }

  /** What the secret that a client shows says about its others, and about its rotation. */
  #settled(entry: LedgerEntry, row: SecretRow, clientId: ClientId): SecretEdit[] {
    const nowMs = this.#deps.clock.now();
    const isRotating = entry.rotation?.ended_at === null;
    const unstored = isRotating ? [] : neverStored(entry, row, { clientId, nowMs });
    const edits = [...retireOlder(entry, row, clientId), ...unstored];
    const shift = entry.shiftOf(clientId);
    if (!isRotating || row.state !== "active" || shift === undefined || shift.state === "done") {
      return edits;
    }
    const done = { ...shift, state: "done", reason: "", changed_at: nowMs } as const;
    return [...edits, { kind: "shift", row: done }];
  }

  /** Why the client may not come in with this secret now. */
  whyNot(entry: LedgerEntry, secretId: SecretId, clientId: ClientId): Denial | undefined {
    const { authenticator, ledger, clients } = this.#deps;
    if (ledger.get(entry.id) !== entry) return DENIALS.deleted;
    const row = entry.secret(secretId);
    if (row === undefined) return DENIALS.revoked;
    const fault = authenticator.whyRefused(entry, row);
    if (fault !== undefined) return DENIALS[fault];
    if (belongsToOther(row, clientId)) return DENIALS.boundToOther;
    if (clients.clientOf(clientId)?.isRevoked === true) return DENIALS.clientRevoked;
    return this.whyTooMany(entry, clientId);
  }

  /**
   * Whether the client is one of the credential's: it came in with it last, or it used a secret of
   * its own that is still good. The second holds also after somebody came as this client with
   * another credential, which must not lock it out.
   */
  isKnown(entry: LedgerEntry, clientId: ClientId): boolean {
    if (this.#deps.clients.clientOf(clientId)?.credentialId === entry.id) return true;
    const own = entry.secretsOf(clientId);
    return own.some((row) => row.last_used_at !== null && row.state !== "revoked");
  }

  /** Why there is no room for a client that the credential does not have. */
  whyTooMany(entry: LedgerEntry, clientId: ClientId): Denial | undefined {
    if (this.isKnown(entry, clientId)) return undefined;
    const { clients } = this.#deps;
    // Who is on record already, with another credential, takes no more room there.
    const full = clients.clientOf(clientId) ? undefined : clients.whyNoRoom(entry.id);
    return full === undefined ? this.#whyOverLimit(entry, clientId) : noRoom(full);
  }

  #whyOverLimit(entry: LedgerEntry, clientId: ClientId): Denial | undefined {
    const max = entry.record.limits.max_clients;
    if (max === null) return undefined;
    if (this.#registering.has(entry.id, clientId)) return undefined;
    const known = this.#deps.clients.countOf(entry.id).total + this.#registering.count(entry.id);
    if (known < max) return undefined;
    const text = `The credential "${entry.id}" may have at most ${max} clients.`;
    return { why: "too-many-clients", text };
  }

  /** It may have got a record, or another one, since the client passed the gate. */
  #whyUnsure(entry: LedgerEntry, host: ShownHost): Denial | undefined {
    const doubt = this.#deps.doubts.about(entry.id, host);
    return doubt && UNSURE[doubt];
  }

  #note(entry: LedgerEntry, clientId: ClientId): void {
    if (entry.record.limits.max_clients === null) return;
    if (this.isKnown(entry, clientId)) return;
    this.#registering.enter(entry.id, clientId);
  }
}

/** The secret as a client's record shows it. */
export function toClientSecret(row: SecretRow): ClientSecret {
  return { id: row.id, origin: row.origin, state: row.state };
}

/** A client that shows a secret of its own has stored it: the ones before it are not needed. */
export function retireOlder(entry: LedgerEntry, row: SecretRow, clientId: ClientId): SecretEdit[] {
  if (row.client_id !== clientId) return [];
  const older = entry.secretsOf(clientId).filter((other) => other.seq < row.seq);
  return older.map(({ id }) => ({ kind: "remove", credential: entry.id, id }));
}

/**
 * A client that still shows an earlier secret never stored the ones it was offered long ago. None
 * of them goes while it could still be on its way to the client's disk.
 */
function neverStored(
  entry: LedgerEntry,
  row: SecretRow,
  who: { readonly clientId: ClientId; readonly nowMs: number },
): SecretEdit[] {
  const offered = entry
    .secretsOf(who.clientId)
    .filter(({ seq, origin }) => seq > row.seq && origin === "rotation")
    .filter((other) => other.last_used_at === null)
    .filter((other) => other.created_at < who.nowMs - STORING_MS);
  return offered.map(({ id }) => ({ kind: "remove", credential: entry.id, id }));
}
