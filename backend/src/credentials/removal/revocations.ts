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
import { type Blast, blastOfRecord, blastOfSecrets, reportOf, Strike } from "./blast.ts";
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
 * Takes single secrets and hosts out of a credential that stays. Always in this order: a mark in
 * memory, from which on nobody gets in; the sessions end, without waiting for the disk; the mark is
 * durable; the answer. Whoever got no answer, because the process ended before, has to ask again.
 * Where the disk takes no mark, the answer is `NOT_DURABLE`. Each deed has a preview that tells who
 * would be hit.
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
    const strike = new Strike("the client was revoked", this.#deps);
    const blast = this.#blastOfClient(this.#require(id));
    const cut = () => strike.hit(blast);
    const unmarked = await failureOf(() => this.#deps.clients.revoke(id, cut));
    await strike.cut(blast);
    const { failure: unended, count } = await this.#endOwn(id);
    const failure = unmarked ?? unended;
    if (failure !== undefined) throw notDurable("The client is let in no more", failure);
    return { ...strike.report, secrets: count };
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
    const { clients, sessions } = this.#deps;
    const credential = entry.id;
    const heirs = new Heirs({ entry, ids, clients, sessions });
    const strike = new Strike(reason, this.#deps);
    const gone = new Set(ids);
    let rows = [...entry.secrets().filter(({ id }) => ids.has(id)), ...heirs.next(gone)];
    let next: ReadonlySet<SecretId> = new Set([...ids, ...idsOf(rows)]);
    let failure: RportError | undefined;
    // An offer may have been on its way to the disk: what it left there meanwhile goes as well.
    do {
      for (const id of next) gone.add(id);
      const blast = () => blastOfSecrets({ credential, ids: next }, this.#deps);
      const untaken = await this.#take(rows, () => strike.hit(blast()));
      failure ??= untaken;
      rows = heirs.next(gone);
      next = idsOf(rows);
    } while (rows.length > 0);
    await strike.cut(blastOfSecrets({ credential, ids: gone }, this.#deps));
    if (failure !== undefined) throw notDurable("The secret opens nothing any more", failure);
    return strike.report;
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
   * Takes secrets away in memory, and cuts; then on disk, which is asked again until it takes it.
   * Answers with what the disk said.
   */
  async #take(
    rows: readonly SecretRow[],
    cut: () => Promise<void> = async () => undefined,
  ): Promise<RportError | undefined> {
    const { store, arrears, clock } = this.#deps;
    const atMs = clock.now();
    const edits = rows.map((row) => this.#editFor(row, atMs));
    store.announce(edits);
    const cutting = cut();
    const failure = await failureOf(() => store.settle(edits));
    if (failure !== undefined) arrears.owe(() => store.settle(edits));
    await cutting;
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
      const untaken = await this.#take(own);
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

function idsOf(rows: readonly SecretRow[]): ReadonlySet<SecretId> {
  return new Set(rows.map(({ id }) => id));
}

function revokeEdit({ credential_id: credential, id }: SecretRow, atMs: number): SecretEdit {
  return { kind: "revoke", credential, id, atMs };
}
