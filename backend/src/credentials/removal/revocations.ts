import { RportError } from "@rport/protocol/errors";
import type { AuthId, ClientId, SecretId } from "@rport/protocol/ids";
import type { DeletionReport } from "@rport/protocol/report";
import type { Clock } from "../../platform/clock.ts";
import type { EditStore } from "../../store/edits/editStore.ts";
import type { SecretEdit } from "../../store/edits/secretEdit.ts";
import type { SecretRow } from "../../store/records/secretRow.ts";
import { type Arrears, failureOf, notDurable } from "../ledger/arrears.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { LedgerEntry } from "../ledger/ledgerEntry.ts";
import type { ClientPort, ClientRef, PairingPort, SessionPort } from "../ports.ts";
import { type Blast, blastOfRecord, blastOfSecrets, reportOf, strike } from "./blast.ts";
import { Heirs } from "./heirs.ts";

/** What revocations need. */
export interface RevocationDeps {
  readonly ledger: Ledger;
  readonly store: EditStore;
  readonly arrears: Arrears;
  readonly clients: ClientPort;
  readonly sessions: SessionPort;
  readonly pairings: PairingPort;
  readonly clock: Clock;
}

/**
 * Takes single secrets and hosts out of a credential that stays. Always in this order: a durable
 * mark, from which on nobody gets in; the sessions end; the answer. Where the disk takes no mark, one
 * in memory does the same until it does, and the answer is `NOT_DURABLE`. Each deed has a preview
 * that tells who would be hit.
 */
export class Revocations {
  readonly #deps: RevocationDeps;

  constructor(deps: RevocationDeps) {
    this.#deps = deps;
  }

  /** Ends secrets and the sessions that stand on them. Ids that are gone are skipped. */
  async secrets(ids: readonly SecretId[]): Promise<void> {
    const perCredential = Map.groupBy(ids, (id) => this.#deps.ledger.ownerOf(id));
    for (const [entry, own] of perCredential) {
      if (entry !== undefined) await this.#end(entry, new Set(own), "the secret was revoked");
    }
  }

  /** Tells what `secret` would do. Fails as it does. */
  previewSecret(credential: AuthId, id: SecretId): DeletionReport {
    this.#ownerOf(credential, id);
    return reportOf(blastOfSecrets({ credential, ids: new Set([id]) }, this.#deps));
  }

  /** Ends one secret. Fails with `ERR_CODE_CLIENT_AUTH_NOT_FOUND` or `NOT_FOUND`. */
  async secret(credential: AuthId, id: SecretId): Promise<DeletionReport> {
    return await this.#end(this.#ownerOf(credential, id), new Set([id]), "the secret was revoked");
  }

  /** Tells what `client` would do. Fails as it does. */
  previewClient(id: ClientId): DeletionReport {
    const blast = this.#blastOfClient(this.#require(id));
    const own = this.#deps.ledger.all().flatMap((entry) => ownSecrets(entry, id));
    return { ...reportOf(blast), secrets: own.length };
  }

  /**
   * Lets a host in no more, whatever secret it shows, and ends the secrets that only it may use.
   * Fails with `NOT_FOUND`.
   */
  async client(id: ClientId): Promise<DeletionReport> {
    const blast = this.#blastOfClient(this.#require(id));
    const unmarked = await failureOf(() => this.#deps.clients.revoke(id));
    const report = strike(blast, "the client was revoked");
    const { failure: unended, count } = await this.#endOwn(id);
    const failure = unmarked ?? unended;
    if (failure !== undefined) throw notDurable("The client is let in no more", failure);
    return { ...report, secrets: count };
  }

  /** Takes the mark away; secrets that were revoked stay so. Fails with `NOT_FOUND`. */
  async allow(id: ClientId): Promise<void> {
    this.#require(id);
    await this.#deps.clients.allow(id);
  }

  async #end(
    entry: LedgerEntry,
    ids: ReadonlySet<SecretId>,
    reason: string,
  ): Promise<DeletionReport> {
    const { clock, clients, sessions } = this.#deps;
    const heirs = new Heirs({ entry, ids, clients, sessions });
    const gone = new Set(ids);
    let rows = [...entry.secrets().filter(({ id }) => ids.has(id)), ...heirs.next(gone)];
    let failure: RportError | undefined;
    // An offer may have been on its way to the disk: what it left there meanwhile goes as well.
    do {
      for (const { id } of rows) gone.add(id);
      const atMs = clock.now();
      const untaken = await this.#take(rows.map((row) => this.#editFor(row, atMs)));
      failure ??= untaken;
      rows = heirs.next(gone);
    } while (rows.length > 0);
    const report = strike(blastOfSecrets({ credential: entry.id, ids: gone }, this.#deps), reason);
    if (failure !== undefined) throw notDurable("The secret opens nothing any more", failure);
    return report;
  }

  /**
   * A secret that nobody ever used explains nothing by staying. Its time of use may have been lost in
   * a crash: whose record stands on it has used it.
   */
  #editFor(row: SecretRow, atMs: number): SecretEdit {
    const { credential_id: credential, id } = row;
    const isNew = row.last_used_at === null && row.client_id === null;
    const stands = ({ secretId }: ClientRef) => secretId === id;
    const isUsed = !isNew || this.#deps.clients.clientsOf(credential).some(stands);
    return isUsed ? revokeEdit(row, atMs) : { kind: "remove", credential, id };
  }

  /**
   * Takes secrets away: on disk first, but a disk that refuses keeps none of them good. Then they are
   * gone in memory, ahead of the disk, which is asked again until it takes it.
   */
  async #take(edits: readonly SecretEdit[]): Promise<RportError | undefined> {
    const { store, arrears } = this.#deps;
    const failure = await failureOf(() => store.commit(edits));
    if (failure === undefined) return undefined;
    store.announce(edits);
    arrears.owe(() => store.settle(edits));
    return failure;
  }

  /** What a crash in between leaves opens nothing: the client's mark is on disk before. */
  async #endOwn(
    id: ClientId,
  ): Promise<{ readonly failure: RportError | undefined; readonly count: number }> {
    let failure: RportError | undefined;
    let count = 0;
    for (const entry of this.#deps.ledger.all()) {
      const own = ownSecrets(entry, id);
      if (own.length === 0) continue;
      count += own.length;
      const atMs = this.#deps.clock.now();
      const untaken = await this.#take(own.map((row) => revokeEdit(row, atMs)));
      failure ??= untaken;
    }
    return { failure, count };
  }

  #blastOfClient(client: ClientRef): Blast {
    const sessions = () => {
      const session = this.#deps.sessions.locate(client.id);
      return session === undefined ? [] : [session];
    };
    return { ...blastOfRecord(client), sessions };
  }

  #ownerOf(credential: AuthId, id: SecretId): LedgerEntry {
    const entry = this.#deps.ledger.need(credential);
    if (entry.secret(id) !== undefined) return entry;
    throw new RportError("NOT_FOUND", "The credential has no such secret.");
  }

  #require(id: ClientId): ClientRef {
    const client = this.#deps.clients.clientOf(id);
    if (client !== undefined) return client;
    throw new RportError("NOT_FOUND", "There is no such client.");
  }
}

/** What only the client may use, and still opens something. */
function ownSecrets(entry: LedgerEntry, id: ClientId): SecretRow[] {
  return entry.secretsOf(id).filter(({ state }) => state !== "revoked");
}

function revokeEdit({ credential_id: credential, id }: SecretRow, atMs: number): SecretEdit {
  return { kind: "revoke", credential, id, atMs };
}
