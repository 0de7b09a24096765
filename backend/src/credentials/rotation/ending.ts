import type { RportError } from "@rport/protocol/errors";
import type { SecretId } from "@rport/protocol/ids";
import type { DeletionReport } from "@rport/protocol/report";
import type { RotationEnd, RotationEvents } from "../../audit/rotationEvents.ts";
import type { Clock } from "../../platform/clock.ts";
import { errorText, type Log } from "../../platform/log.ts";
import type { EditStore } from "../../store/edits/editStore.ts";
import type { SecretEdit } from "../../store/edits/secretEdit.ts";
import { type Arrears, failureOf } from "../ledger/arrears.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { LedgerEntry } from "../ledger/ledgerEntry.ts";
import type { ClientPort, ClientRef, PairingPort, SessionPort } from "../ports.ts";
import { type Blast, blastOfSecrets, reportOf, Strike } from "../removal/blast.ts";
import { endEdits, secretsInGrace } from "./plan.ts";
import { secretStoodOn } from "./progress.ts";
import type { RotationTimers } from "./timers.ts";
import { isUnderWay, requireUnderWay, rotationTurn } from "./underWay.ts";

/** What the end of a rotation needs. */
export interface EndingDeps {
  readonly ledger: Ledger;
  readonly store: EditStore;
  readonly arrears: Arrears;
  readonly timers: RotationTimers;
  readonly clients: ClientPort;
  readonly sessions: SessionPort;
  readonly pairings: PairingPort;
  readonly clock: Clock;
  readonly log: Log;
  readonly rotationEvents: RotationEvents;
}

/** An end that is in force; `failure`: the disk does not know yet. */
export interface EndedRotation {
  readonly report: DeletionReport;
  readonly failure: RportError | undefined;
}

/** Ends rotations: the old secrets open nothing any more. Whoever calls it holds the turn. */
export class Ending {
  readonly #deps: EndingDeps;

  constructor(deps: EndingDeps) {
    this.#deps = deps;
  }

  /** Tells who would be hit. Fails with `CONFLICT` when no rotation is under way. */
  preview(entry: LedgerEntry): DeletionReport {
    requireUnderWay(entry);
    return reportOf(this.#blast(entry, oldSecrets(entry)));
  }

  /**
   * The old secrets stop: durably first, then the sessions that still stand on them. A disk that
   * refuses keeps no old secret good: it is told later, and a restart before that ends the rotation
   * once more. Who is hit is looked up after that: somebody may have moved while it was written, and
   * nothing is urgent about secrets that were good until now.
   */
  async end(entry: LedgerEntry): Promise<EndedRotation> {
    const { ledger, store, arrears, clock, timers } = this.#deps;
    const rotation = requireUnderWay(entry);
    const old = oldSecrets(entry);
    const edits = endEdits(entry, rotation, clock.now());
    const failure = await failureOf(() => store.commit(edits));
    if (failure !== undefined && ledger.get(entry.id) === entry) {
      store.announce(edits);
      arrears.owe(() => this.#makeUp(entry, edits));
    }
    timers.cancel(entry.id);
    const strike = new Strike("the secret was rotated and its grace is over", this.#deps);
    await strike.hit(this.#blast(entry, old));
    return { report: strike.report, failure };
  }

  /** Ends a rotation that nobody ended by hand; never fails. */
  async endByItself(entry: LedgerEntry, why: RotationEnd): Promise<void> {
    const { log, rotationEvents } = this.#deps;
    if (!isUnderWay(entry)) return;
    try {
      const { report, failure } = await this.end(entry);
      rotationEvents.ended(entry.id, why, report);
      if (failure === undefined) return;
      log.error("the end of a rotation is not on disk yet", { reason: failure.message });
    } catch (caught) {
      log.error("a rotation could not be ended", { reason: errorText(caught) });
    }
  }

  /** Writes an end that the disk refused; another rotation that has begun since goes on. */
  #makeUp(entry: LedgerEntry, edits: readonly SecretEdit[]): Promise<void> {
    const { ledger, store } = this.#deps;
    return store.turn(rotationTurn(entry.id), async () => {
      if (ledger.get(entry.id) !== entry) return;
      const isLast = edits.some((edit) => edit.kind === "rotation" && edit.row === entry.rotation);
      await store.settle(isLast ? edits : edits.filter(({ kind }) => kind === "revoke"));
    });
  }

  #blast(entry: LedgerEntry, ids: ReadonlySet<SecretId>): Blast {
    const isHit = (client: ClientRef): boolean => {
      const id = secretStoodOn(entry, client)?.id;
      return id !== undefined && ids.has(id);
    };
    return blastOfSecrets({ credential: entry.id, ids, isHit }, this.#deps);
  }
}

function oldSecrets(entry: LedgerEntry): ReadonlySet<SecretId> {
  return new Set(secretsInGrace(entry).map(({ id }) => id));
}
