import { RportError } from "@rport/protocol/errors";
import type { AuthId, ClientId, SecretId } from "@rport/protocol/ids";
import type { DeletionReport } from "@rport/protocol/report";
import type { Clock } from "../../platform/clock.ts";
import type { SecretEdit } from "../../store/secretEdit.ts";
import type { SecretRow } from "../../store/secretRow.ts";
import { type Arrears, failureOf, notDurable } from "../ledger/arrears.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { LiveCredential } from "../ledger/liveCredential.ts";
import type { ClientRef, CredentialTouch, SessionPort } from "../ports.ts";
import {
  type Blast,
  type BlastPorts,
  blastOfRecord,
  blastOfSecrets,
  reportOf,
  strike,
} from "./blast.ts";

/** What revocations need. */
export interface RevocationDeps extends BlastPorts {
  readonly ledger: Ledger;
  readonly arrears: Arrears;
  readonly clock: Clock;
  readonly touch: CredentialTouch;
  /** Called when something was taken away; a rotation may have waited for who used it. */
  readonly onTaken: (id: AuthId) => void;
}

/**
 * Takes single secrets and hosts out of a credential that stays. Always in this order: a durable
 * mark, from which on nobody gets in; the sessions end; the answer. Where the disk takes no mark, one
 * in memory does the same until it does, and the answer is `NOT_DURABLE`. With `dryRun` it only tells
 * who would be hit.
 */
export class Revocations {
  readonly #deps: RevocationDeps;

  constructor(deps: RevocationDeps) {
    this.#deps = deps;
  }

  /** Ends secrets and the sessions that stand on them. Ids that are gone are skipped. */
  async secrets(ids: readonly SecretId[]): Promise<void> {
    const perCredential = Map.groupBy(ids, (id) => this.#deps.ledger.ownerOf(id));
    for (const [live, own] of perCredential) {
      if (live !== undefined) await this.#end(live, new Set(own), "the secret was revoked");
    }
  }

  /** Ends one secret. Fails with `NOT_FOUND`. */
  async secret(live: LiveCredential, id: SecretId, dryRun: boolean): Promise<DeletionReport> {
    if (live.secret(id) === undefined) {
      throw new RportError("NOT_FOUND", "The credential has no such secret.");
    }
    const ids = new Set([id]);
    if (dryRun) return reportOf(blastOfSecrets(live.id, ids, this.#deps));
    return await this.#end(live, ids, "the secret was revoked");
  }

  /**
   * Lets a host in no more, whatever secret it shows, and ends the secrets that only it may use.
   * Fails with `NOT_FOUND`.
   */
  async client(id: ClientId, dryRun: boolean): Promise<DeletionReport> {
    const { sessions, touch } = this.#deps;
    const client = this.#require(id);
    const blast = this.#blastOfClient(client);
    if (dryRun) {
      const own = this.#deps.ledger.all().flatMap((live) => ownSecrets(live, id));
      return { ...reportOf(blast), secrets: own.length };
    }
    const unmarked = await failureOf(() => sessions().setRevoked(id, true));
    const report = strike(blast, "the client was revoked", touch);
    const { failure: unended, count } = await this.#endOwn(id);
    this.#deps.onTaken(client.credentialId);
    const failure = unmarked ?? unended;
    if (failure !== undefined) throw notDurable("The client is let in no more", failure);
    return { ...report, secrets: count };
  }

  /** Takes the mark away; secrets that were revoked stay so. Fails with `NOT_FOUND`. */
  async allow(id: ClientId): Promise<void> {
    this.#require(id);
    await this.#deps.sessions().setRevoked(id, false);
    this.#deps.touch("client", id);
  }

  async #end(
    live: LiveCredential,
    ids: ReadonlySet<SecretId>,
    reason: string,
  ): Promise<DeletionReport> {
    const { clock, touch } = this.#deps;
    const heirs = new Heirs(live, ids, this.#deps.sessions());
    const gone = new Set(ids);
    let rows = [...live.secrets().filter(({ id }) => ids.has(id)), ...heirs.next(gone)];
    let failure: RportError | undefined;
    // An offer may have been on its way to the disk: what it left there meanwhile goes as well.
    do {
      for (const { id } of rows) gone.add(id);
      const atMs = clock.now();
      const untaken = await this.#take(
        live,
        rows.map((row) => editFor(row, atMs)),
      );
      failure ??= untaken;
      rows = heirs.next(gone);
    } while (rows.length > 0);
    const report = strike(blastOfSecrets(live.id, gone, this.#deps), reason, touch);
    this.#deps.onTaken(live.id);
    if (failure !== undefined) throw notDurable("The secret opens nothing any more", failure);
    return report;
  }

  /** Takes secrets away: on disk, or until the disk takes it, in memory. */
  async #take(live: LiveCredential, edits: readonly SecretEdit[]): Promise<RportError | undefined> {
    const { ledger, arrears } = this.#deps;
    const write = () => ledger.edit(live, edits);
    const failure = await failureOf(write);
    if (failure === undefined) return undefined;
    ledger.editInMemory(live, edits);
    arrears.owe(write);
    return failure;
  }

  /** What a crash in between leaves opens nothing: the client's mark is on disk before. */
  async #endOwn(
    id: ClientId,
  ): Promise<{ readonly failure: RportError | undefined; readonly count: number }> {
    const { clock, touch } = this.#deps;
    let failure: RportError | undefined;
    let count = 0;
    for (const live of this.#deps.ledger.all()) {
      const own = ownSecrets(live, id);
      if (own.length === 0) continue;
      count += own.length;
      const atMs = clock.now();
      const edits = own.map((row) => ({ kind: "revoke" as const, id: row.id, atMs }));
      const untaken = await this.#take(live, edits);
      failure ??= untaken;
      touch("credential", live.id);
    }
    return { failure, count };
  }

  #blastOfClient(client: ClientRef): Blast {
    const sessions = () => this.#deps.sessions().sessionsOf(client.id);
    return { ...blastOfRecord(client), sessions };
  }

  #require(id: ClientId): ClientRef {
    const client = this.#deps.sessions().clientOf(id);
    if (client !== undefined) return client;
    throw new RportError("NOT_FOUND", "There is no such client.");
  }
}

/** What only the client may use, and still opens something. */
function ownSecrets(live: LiveCredential, id: ClientId): SecretRow[] {
  return live.secretsOf(id).filter(({ state }) => state !== "revoked");
}

/**
 * Secrets that are offered in the place of those that go, and may be stored without a word: what the
 * hosts that stand on those had not used when this was made, and what they are given from then on.
 */
class Heirs {
  readonly #live: LiveCredential;
  readonly #ids: ReadonlySet<SecretId>;
  readonly #sessions: SessionPort;
  readonly #hosts = new Set<ClientId>();
  readonly #used: ReadonlySet<SecretId>;

  constructor(live: LiveCredential, ids: ReadonlySet<SecretId>, sessions: SessionPort) {
    this.#live = live;
    this.#ids = ids;
    this.#sessions = sessions;
    const used = live.secrets().filter((row) => row.last_used_at !== null);
    this.#used = new Set(used.map(({ id }) => id));
  }

  /** Those that are there now and not `gone`. */
  next(gone: ReadonlySet<SecretId>): SecretRow[] {
    this.#lookForHosts();
    return [...this.#hosts]
      .flatMap((host) => this.#live.secretsOf(host))
      .filter(({ id, origin }) => origin === "rotation" && !gone.has(id) && !this.#used.has(id))
      .filter(({ state }) => state !== "revoked");
  }

  #lookForHosts(): void {
    for (const { id, secretId } of this.#sessions.clientsOf(this.#live.id)) {
      if (secretId !== null && this.#ids.has(secretId)) this.#hosts.add(id);
    }
    for (const { clientId, secretId } of this.#sessions.ofCredential(this.#live.id)) {
      if (clientId !== undefined && this.#ids.has(secretId)) this.#hosts.add(clientId);
    }
  }
}

/** A secret that nobody ever used explains nothing by staying. */
function editFor(row: SecretRow, atMs: number): SecretEdit {
  const isUnused = row.last_used_at === null && row.client_id === null;
  return isUnused ? { kind: "remove", id: row.id } : { kind: "revoke", id: row.id, atMs };
}
