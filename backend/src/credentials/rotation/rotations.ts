import type { AuthId, ClientId } from "@rport/protocol/ids";
import type { Rotation } from "@rport/protocol/model";
import type { DeletionReport, RotationClient } from "@rport/protocol/report";
import type { Clock } from "../../platform/clock.ts";
import type { ShownTimes, SteadyTime } from "../../platform/steadyTime.ts";
import type { EditStore } from "../../store/edits/editStore.ts";
import { noSuchCredential } from "../../store/records/noSuchCredential.ts";
import type { RotationRow } from "../../store/records/secretRow.ts";
import type { ShiftRow } from "../../store/records/shiftRow.ts";
import { notDurable } from "../ledger/arrears.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { LedgerEntry } from "../ledger/ledgerEntry.ts";
import type { ClientPort, PairingPort, SessionHandle, SessionPort } from "../ports.ts";
import type { Ending } from "./ending.ts";
import type { Offers } from "./offers.ts";
import { isShiftable } from "./offers.ts";
import { beginningRow, cancelEdits, planRotation, type RotationTimes } from "./plan.ts";
import { countStates, describeRotation, isWaitedFor, rotationClients } from "./progress.ts";
import type { Standings } from "./standings.ts";
import type { RotationTimers } from "./timers.ts";
import { endsByItself, isUnderWay, requireUnderWay, rotationTurn } from "./underWay.ts";

/**
 * Without grace the old secrets stop once each connected agent has answered, or was asked ten seconds
 * ago. Whoever waits to be asked, or comes back after a restart of the server, has so long.
 */
const NO_GRACE_MAX_MS = 60_000;
/**
 * Whether everybody has moved takes a look at every client, and each that comes asks for it: 10 ms
 * times 10,000 after a restart. Of more clients than these, it is looked once per `LOOK_MS`.
 */
export const LARGE_FLEET = 500;
/** So often a large fleet is looked at. */
export const LOOK_MS = 1_000;

/** What rotations need. */
export interface RotationDeps {
  readonly ledger: Ledger;
  readonly store: EditStore;
  readonly offers: Offers;
  readonly ending: Ending;
  readonly timers: RotationTimers;
  readonly standings: Standings;
  readonly clients: ClientPort;
  readonly sessions: SessionPort;
  readonly pairings: PairingPort;
  readonly clock: Clock;
  /** A grace is measured by this one. */
  readonly steady: SteadyTime;
  readonly times: ShownTimes;
}

/** A rotation that has begun or, in a preview, would begin. */
export interface StartedRotation {
  readonly rotation: Rotation;
  /** Connected clients whose agents cannot take another secret. */
  readonly unmovable: ClientId[];
  readonly clients: RotationClient[];
  /** Open pairings that end at once. */
  readonly pairings: number;
}

/** The rotation that is under way, if there is one, and where each client stands in it. */
export interface ShownRotation {
  readonly rotation: Rotation | undefined;
  readonly clients: RotationClient[];
}

/**
 * Replaces the secrets of a credential under its running agents. All that has to be known is in
 * the rows: after a restart the rotation goes on where it was. Beginnings and ends of one
 * credential's rotations take turns. Each deed fails with `ERR_CODE_CLIENT_AUTH_NOT_FOUND`.
 */
export class Rotations {
  readonly #deps: RotationDeps;

  constructor(deps: RotationDeps) {
    this.#deps = deps;
  }

  /** Tells what `start` would do. Nothing happens. */
  async previewStart(id: AuthId, graceMs: number | undefined): Promise<StartedRotation> {
    const { ledger, standings } = this.#deps;
    const entry = ledger.need(id);
    const times = this.#timesOf(graceMs);
    const row = beginningRow(entry, times);
    const shifts = await standings.firstOf(entry, times.nowMs);
    return { ...this.#describe(entry, row, shifts), clients: await standings.inRows(shifts) };
  }

  /**
   * Puts all secrets in grace, durably, and begins to move the connected clients. A rotation that
   * is under way begins anew. `graceMs` undefined: the grace ends when every client has moved.
   */
  start(id: AuthId, graceMs: number | undefined): Promise<StartedRotation> {
    return this.#deed(id, async (entry) => {
      const { store, standings, clients, sessions, pairings } = this.#deps;
      // In one turn: whoever came between the plan and its edits would be taken for a stranger.
      const plan = planRotation(entry, clients.clientsOf(entry.id), this.#timesOf(graceMs));
      const started = this.#describe(entry, plan.row, plan.shifts);
      await store.commit(plan.edits);
      if (graceMs === 0) pairings.revokeOf(entry.id);
      const shifted = this.#arm(entry, sessions.ofCredential(entry.id));
      // Without grace the end comes with the last answer, or the time that was given for it.
      if (graceMs === 0) void shifted.then((isAll) => this.#endIf(entry, plan.row, isAll));
      return { ...started, clients: await standings.inRows(plan.shifts) };
    });
  }

  /** Tells what `finish` would do. Fails with `CONFLICT` when no rotation is under way. */
  previewFinish(id: AuthId): DeletionReport {
    return this.#deps.ending.preview(this.#deps.ledger.need(id));
  }

  /**
   * The old secrets stop now, and whoever still stands on one is cut. Fails with `CONFLICT` when no
   * rotation is under way, with `NOT_DURABLE` when they have stopped and the disk does not know yet.
   */
  finish(id: AuthId): Promise<DeletionReport> {
    return this.#deed(id, async (entry) => {
      const { report, failure } = await this.#deps.ending.end(entry);
      if (failure === undefined) return report;
      throw notDurable("The old secrets open nothing any more", failure);
    });
  }

  /**
   * The old secrets are as good as before; who has moved stays moved. Fails with `CONFLICT` when no
   * rotation is under way.
   */
  abandon(id: AuthId): Promise<void> {
    return this.#deed(id, async (entry) => {
      const { store, clock, timers } = this.#deps;
      await store.commit(cancelEdits(entry, requireUnderWay(entry), clock.now()));
      timers.cancel(entry.id);
    });
  }

  /** Where each client stands in the rotation that is under way. */
  async show(id: AuthId): Promise<ShownRotation> {
    const { ledger, standings, times } = this.#deps;
    const entry = ledger.need(id);
    const { rotation: row } = entry;
    if (row === undefined || row.ended_at !== null) return { rotation: undefined, clients: [] };
    const clients = await standings.of(entry);
    // It ended, or began anew, while its clients were looked at.
    if (ledger.need(id).rotation !== row) return await this.show(id);
    const progress = countStates(clients.map(({ state }) => state));
    return { rotation: describeRotation(row, progress, times), clients };
  }

  /** Goes on with what was under way when the process ended. */
  resume(): void {
    const { ledger, sessions } = this.#deps;
    for (const entry of ledger.all()) {
      if (isUnderWay(entry)) void this.#arm(entry, sessions.ofCredential(entry.id));
    }
  }

  /** Ends the rotation, now or soon, if it waited for nobody but clients that have moved or gone. */
  async check(id: AuthId): Promise<void> {
    const { ledger, clients, timers } = this.#deps;
    const entry = ledger.get(id);
    if (entry === undefined || !endsByItself(entry)) return;
    const { total } = clients.countOf(entry.id);
    if (total <= LARGE_FLEET) await this.#endIfComplete(entry);
    else timers.look(entry.id, LOOK_MS, () => void this.#endIfComplete(entry));
  }

  /** Stops all timers; what is under way goes on at the next start. */
  stop(): void {
    this.#deps.offers.stop();
    this.#deps.timers.stop();
  }

  #timesOf(graceMs: number | undefined): RotationTimes {
    const { clock, steady } = this.#deps;
    const [nowMs, steadyMs] = [clock.now(), steady()];
    return { nowMs, steadyMs, graceMs, endsAtMs: graceMs ? steadyMs + graceMs : undefined };
  }

  #describe(
    entry: LedgerEntry,
    row: RotationRow,
    shifts: readonly ShiftRow[],
  ): Omit<StartedRotation, "clients"> {
    const { sessions, pairings, times } = this.#deps;
    const progress = countStates(shifts.map(({ state }) => state));
    return {
      rotation: describeRotation(row, progress, times),
      unmovable: sessions.ofCredential(entry.id).flatMap(idIfUnshiftable),
      pairings: row.grace_ms === 0 ? pairings.openOf(entry.id) : 0,
    };
  }

  async #endIfComplete(entry: LedgerEntry): Promise<void> {
    if (!this.#isComplete(entry)) return;
    await this.#inTurn(entry, async () => {
      if (this.#isComplete(entry)) await this.#deps.ending.endByItself(entry, "moved");
    });
  }

  #isComplete(entry: LedgerEntry): boolean {
    if (!endsByItself(entry)) return false;
    return !rotationClients(entry, this.#deps.clients.clientsOf(entry.id)).some(isWaitedFor);
  }

  /** Moves who is connected, and sees to it that the rotation ends. True: all answered in time. */
  async #arm(entry: LedgerEntry, connected: readonly SessionHandle[]): Promise<boolean> {
    const { offers, timers } = this.#deps;
    const { rotation } = entry;
    const shifts = connected.map((session) => offers.shift(session));
    timers.cancel(entry.id);
    if (rotation?.grace_ms === 0) this.#wait(entry, NO_GRACE_MAX_MS);
    else if (rotation?.grace_ms !== null) this.#waitForGrace(entry);
    const answers = await Promise.all(shifts);
    await this.check(entry.id);
    return answers.every((isAnswered) => isAnswered);
  }

  #endIf(entry: LedgerEntry, row: RotationRow, isAnswered: boolean): Promise<void> {
    const why = isAnswered ? "answered" : "time";
    return this.#inTurn(entry, async () => {
      if (entry.rotation === row) await this.#deps.ending.endByItself(entry, why);
    });
  }

  #waitForGrace(entry: LedgerEntry): void {
    const endsAt = entry.rotation?.grace_ends_at ?? 0;
    this.#wait(entry, Math.max(0, endsAt - this.#deps.steady()));
  }

  #wait(entry: LedgerEntry, ms: number): void {
    const row = entry.rotation;
    this.#deps.timers.end(entry.id, ms, () => void this.#due(entry, row));
  }

  /** A rotation that began anew meanwhile has an end of its own. */
  async #due(entry: LedgerEntry, row: RotationRow | undefined): Promise<void> {
    await this.#inTurn(entry, async () => {
      if (entry.rotation !== row) return;
      const endsAt = row?.grace_ends_at ?? 0;
      if (endsAt > this.#deps.steady()) this.#waitForGrace(entry);
      else await this.#deps.ending.endByItself(entry, "time");
    });
  }

  /** A deed that waited for its turn is not done to a later credential of the same name. */
  #deed<T>(id: AuthId, job: (entry: LedgerEntry) => Promise<T>): Promise<T> {
    const { ledger } = this.#deps;
    const entry = ledger.need(id);
    return this.#inTurn(entry, async () => {
      if (ledger.need(id) !== entry) throw noSuchCredential();
      return await job(entry);
    });
  }

  #inTurn<T>(entry: LedgerEntry, job: () => Promise<T>): Promise<T> {
    return this.#deps.store.turn(rotationTurn(entry.id), job);
  }
}

function idIfUnshiftable(session: SessionHandle): ClientId[] {
  return isShiftable(session) || session.clientId === undefined ? [] : [session.clientId];
}
