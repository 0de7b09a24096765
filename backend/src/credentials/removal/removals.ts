import { RportError } from "@rport/protocol/errors";
import type { AuthId } from "@rport/protocol/ids";
import type { DeletionReport } from "@rport/protocol/report";
import type { Clock } from "../../platform/clock.ts";
import type { Edit } from "../../store/edits/edit.ts";
import type { EditStore } from "../../store/edits/editStore.ts";
import { noSuchCredential } from "../../store/records/noSuchCredential.ts";
import { type Arrears, failureOf, notDurable } from "../ledger/arrears.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { LedgerEntry } from "../ledger/ledgerEntry.ts";
import type { ClientPort, PairingPort, SessionPort } from "../ports.ts";
import { blastOfCredential, reportOf, Strike } from "./blast.ts";

/** How a credential is to be removed. */
export interface RemovalOptions {
  /** Also when clients use it, or came in with it last. */
  readonly force: boolean;
  /** Their records go as well, save those of revoked clients: they are what keeps them out. */
  readonly purge: boolean;
  /** Not even a host that is about to come in, or an open pairing, may be there. */
  readonly onlyUnused?: boolean;
}

/** A removal that is under way; whoever asks for more meanwhile gets it. */
interface Running {
  purge: boolean;
  hasPurged: boolean;
}

/** What removals need. */
export interface RemovalDeps {
  readonly ledger: Ledger;
  readonly store: EditStore;
  readonly arrears: Arrears;
  readonly clients: ClientPort;
  readonly sessions: SessionPort;
  readonly pairings: PairingPort;
  readonly clock: Clock;
}

/** Removes credentials so that nobody slips back in while it happens, or after a crash. */
export class Removals {
  readonly #deps: RemovalDeps;
  readonly #running = new Map<
    AuthId,
    { readonly how: Running; readonly removal: Promise<DeletionReport> }
  >();

  constructor(deps: RemovalDeps) {
    this.#deps = deps;
  }

  /** Tells what `remove` would do. Fails with `ERR_CODE_CLIENT_AUTH_NOT_FOUND`. */
  preview(id: AuthId, { purge }: Pick<RemovalOptions, "purge">): DeletionReport {
    this.#existing(id);
    const report = reportOf(blastOfCredential(id, this.#deps));
    return purge ? { ...report, ...this.#keptOf(id) } : report;
  }

  /**
   * Marks the credential in memory, so that no login passes, and ends its sessions; makes the mark
   * durable meanwhile; then removes what is kept. Whoever got no answer, because the process ended
   * before, has to ask again. Fails with `ERR_CODE_CLIENT_AUTH_NOT_FOUND` or `ERR_CODE_CLIENT_AUTH_HAS_CLIENT`;
   * with `NOT_DURABLE` when the disk takes no mark: then no login passes and the sessions have ended
   * all the same, and the rest follows when the disk allows. Called twice at once, both calls get the
   * same report, and the records go if one of them says so.
   */
  async remove(id: AuthId, options: RemovalOptions): Promise<DeletionReport> {
    const running = this.#running.get(id);
    if (running !== undefined) {
      running.how.purge ||= options.purge;
      const report = await running.removal;
      if (options.purge && !running.how.hasPurged) await this.#deps.clients.purge(id);
      return report;
    }
    const entry = this.#existing(id);
    const kept = options.purge ? this.#keptOf(id) : {};
    this.#refuseUsed(entry, options);
    const how: Running = { purge: options.purge, hasPurged: false };
    const removal = this.#inTurn(id, () => this.#remove(entry, how, options));
    this.#running.set(id, { how, removal });
    try {
      return { ...(await removal), ...kept };
    } finally {
      this.#running.delete(id);
    }
  }

  /** Nobody comes in from the moment on at which nothing speaks against the removal any more. */
  async #remove(
    entry: LedgerEntry,
    how: Running,
    options: RemovalOptions,
  ): Promise<DeletionReport> {
    const { ledger, store, arrears } = this.#deps;
    if (ledger.get(entry.id) !== entry) throw noSuchCredential();
    this.#refuseUsed(entry, options);
    const mark: Edit = { kind: "mark", credential: entry.id };
    const strike = new Strike("the credential was deleted", this.#deps);
    store.announce([mark]);
    const cutting = strike.hit(blastOfCredential(entry.id, this.#deps));
    const unmarked = await failureOf(() => store.settle([mark]));
    await cutting;
    await strike.cut(blastOfCredential(entry.id, this.#deps));
    const failure = unmarked ?? (await failureOf(() => this.#clear(entry, how)));
    if (failure === undefined) return strike.report;
    arrears.owe(() => this.#inTurn(entry.id, () => this.#makeUp(entry, how)));
    // The mark is what counts: what is swept up later opens nothing.
    if (unmarked === undefined && !how.purge) return strike.report;
    throw notDurable(told(entry, strike.report), failure);
  }

  /** Does what the disk did not allow; nothing when somebody has done it meanwhile. */
  async #makeUp(entry: LedgerEntry, how: Running): Promise<void> {
    const { ledger, store } = this.#deps;
    if (ledger.get(entry.id) !== entry) return;
    await store.settle([{ kind: "mark", credential: entry.id }]);
    await this.#clear(entry, how);
  }

  /** Removes what is kept of a credential that is marked. */
  async #clear(entry: LedgerEntry, how: Running): Promise<void> {
    const { store, clients, clock } = this.#deps;
    if (how.purge) {
      await clients.purge(entry.id);
      how.hasPurged = true;
    }
    await store.commit([{ kind: "erase", credential: entry.id, atMs: clock.now() }]);
  }

  #inTurn<T>(id: AuthId, job: () => Promise<T>): Promise<T> {
    return this.#deps.store.turn(`removal ${id}`, job);
  }

  #existing(id: AuthId): LedgerEntry {
    const entry = this.#deps.ledger.get(id);
    if (entry === undefined) throw noSuchCredential();
    return entry;
  }

  #keptOf(id: AuthId): Pick<DeletionReport, "kept"> {
    const revoked = this.#deps.clients.clientsOf(id).filter(({ isRevoked }) => isRevoked);
    return revoked.length === 0 ? {} : { kept: revoked.map((client) => client.id) };
  }

  #refuseUsed(entry: LedgerEntry, { force, onlyUnused }: RemovalOptions): void {
    const { clients, sessions, pairings } = this.#deps;
    const { total, connected } = clients.countOf(entry.id);
    const isClaimed = sessions.ofCredential(entry.id).length + pairings.openOf(entry.id) > 0;
    if (force || (total === 0 && !(onlyUnused && isClaimed))) return;
    throw new RportError(
      "ERR_CODE_CLIENT_AUTH_HAS_CLIENT",
      `The credential "${entry.id}" is used by ${total} ${total === 1 ? "client" : "clients"}, ` +
        `${connected} of them connected.`,
      { detail: "Use force=true to end their sessions and delete it." },
    );
  }
}

function told({ id }: LedgerEntry, { disconnected }: DeletionReport): string {
  const sessions = disconnected === 1 ? "1 session was" : `${disconnected} sessions were`;
  return `The credential "${id}" lets nobody in any more and ${sessions} ended`;
}
