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
import type { LiveCredential } from "../ledger/ledgerEntry.ts";
import type { ClientPort, ClientRef, PairingPort, SessionPort } from "../ports.ts";
import { type Blast, blastOfSecrets, reportOf, strike } from "../removal/blast.ts";
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
  readonly rotationEvents?: RotationEvents | undefined;
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
  preview(live: LiveCredential): DeletionReport {
    requireUnderWay(live);
    return reportOf(this.#blast(live, oldSecrets(live)));
  }

  /**
   * The old secrets stop: durably first, then the sessions that still stand on them. A disk that
   * refuses keeps no old secret good: it is told later, and a restart before that ends the rotation
   * once more. Who is hit is looked up after that: somebody may have moved while it was written.
   */
  async end(live: LiveCredential): Promise<EndedRotation> {
    const { store, arrears, clock, timers } = this.#deps;
    const rotation = requireUnderWay(live);
    const old = oldSecrets(live);
    const edits = endEdits(live, rotation, clock.now());
    const failure = await failureOf(() => store.commit(edits));
    if (failure !== undefined) {
      store.announce(edits);
      arrears.owe(() => this.#makeUp(live, edits));
    }
    timers.cancel(live.id);
    const report = strike(this.#blast(live, old), "the secret was rotated and its grace is over");
    return { report, failure };
  }

  /** Ends a rotation that nobody ended by hand; never fails. */
  async endByItself(live: LiveCredential, why: RotationEnd): Promise<void> {
    const { log, rotationEvents } = this.#deps;
    if (!isUnderWay(live)) return;
    try {
      const { report, failure } = await this.end(live);
      rotationEvents?.ended(live.id, why, report);
      if (failure === undefined) return;
      log.error("the end of a rotation is not on disk yet", { reason: failure.message });
    } catch (caught) {
      log.error("a rotation could not be ended", { reason: errorText(caught) });
    }
  }

  /** Writes an end that the disk refused; another rotation that has begun since goes on. */
  #makeUp(live: LiveCredential, edits: readonly SecretEdit[]): Promise<void> {
    const { ledger, store } = this.#deps;
    return store.turn(rotationTurn(live.id), async () => {
      if (ledger.get(live.id) !== live) return;
      const isLast = edits.some((edit) => edit.kind === "rotation" && edit.row === live.rotation);
      await store.settle(isLast ? edits : edits.filter(({ kind }) => kind === "revoke"));
    });
  }

  #blast(live: LiveCredential, ids: ReadonlySet<SecretId>): Blast {
    const isHit = (client: ClientRef): boolean => {
      const id = secretStoodOn(live, client)?.id;
      return id !== undefined && ids.has(id);
    };
    return blastOfSecrets({ credential: live.id, ids, isHit }, this.#deps);
  }
}

function oldSecrets(live: LiveCredential): ReadonlySet<SecretId> {
  return new Set(secretsInGrace(live).map(({ id }) => id));
}
