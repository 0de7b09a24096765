import type { AuthId, ClientId } from "@rport/protocol/ids";
import type { Rotation } from "@rport/protocol/model";
import type { DeletionReport, RotationClient } from "@rport/protocol/report";
import type { Clock } from "../../platform/clock.ts";
import type { SteadyTime } from "../../platform/steadyTime.ts";
import type { EditStore } from "../../store/edits/editStore.ts";
import type { RotationRow } from "../../store/records/secretRow.ts";
import { notDurable } from "../ledger/arrears.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { LiveCredential } from "../ledger/ledgerEntry.ts";
import type { ClientPort, PairingPort, SessionHandle, SessionPort } from "../ports.ts";
import type { Ending } from "./ending.ts";
import type { Offers } from "./offers.ts";
import { isShiftable } from "./offers.ts";
import { cancelEdits, planRotation, type RotationPlan } from "./plan.ts";
import { describeRotation, isWaitedFor, rotationClients, toRotation } from "./progress.ts";
import type { RotationTimers } from "./timers.ts";
import { endsByItself, isUnderWay, requireUnderWay, rotationTurn } from "./underWay.ts";

/** Without grace, connected agents have this long to answer before the old secrets stop. */
const NO_GRACE_MS = 10_000;
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
  readonly clients: ClientPort;
  readonly sessions: SessionPort;
  readonly pairings: PairingPort;
  readonly clock: Clock;
  /** A grace is measured by this one. */
  readonly steady: SteadyTime;
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
  previewStart(id: AuthId, graceMs: number | null): StartedRotation {
    const live = this.#deps.ledger.need(id);
    return this.#describe(live, this.#plan(live, graceMs));
  }

  /**
   * Puts all secrets in grace, durably, and begins to move the connected clients. A rotation that
   * is under way begins anew. `graceMs` null: the grace ends when every client has moved.
   */
  start(id: AuthId, graceMs: number | null): Promise<StartedRotation> {
    const live = this.#deps.ledger.need(id);
    return this.#inTurn(live, async () => {
      const { store, sessions, pairings } = this.#deps;
      const plan = this.#plan(live, graceMs);
      const started = this.#describe(live, plan);
      await store.commit(plan.edits);
      if (graceMs === 0) pairings.revokeOf(live.id);
      const shifted = this.#arm(live, sessions.ofCredential(live.id));
      // Without grace the end comes with the last answer.
      if (graceMs === 0) void shifted.then(() => this.#endIf(live, plan.row));
      return started;
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
    const live = this.#deps.ledger.need(id);
    return this.#inTurn(live, async () => {
      const { report, failure } = await this.#deps.ending.end(live);
      if (failure === undefined) return report;
      throw notDurable("The old secrets open nothing any more", failure);
    });
  }

  /**
   * The old secrets are as good as before; who has moved stays moved. Fails with `CONFLICT` when no
   * rotation is under way.
   */
  abandon(id: AuthId): Promise<void> {
    const live = this.#deps.ledger.need(id);
    return this.#inTurn(live, async () => {
      const { store, clock, timers } = this.#deps;
      await store.commit(cancelEdits(live, requireUnderWay(live), clock.now()));
      timers.cancel(live.id);
    });
  }

  /** Where each client stands in the rotation that is under way. */
  show(id: AuthId): { readonly rotation: Rotation | null; readonly clients: RotationClient[] } {
    const { ledger, clients } = this.#deps;
    const live = ledger.need(id);
    const own = rotationClients(live, clients.clientsOf(id));
    // Whoever came in with another credential meanwhile is waited for, and has its name elsewhere.
    const named = own.map((client) => ({
      ...client,
      name: client.name || (clients.clientOf(client.id)?.name ?? ""),
    }));
    return { rotation: toRotation(live, clients.clientsOf(id)) ?? null, clients: named };
  }

  /** Goes on with what was under way when the process ended. */
  resume(): void {
    const { ledger, sessions } = this.#deps;
    for (const live of ledger.all()) {
      if (isUnderWay(live)) void this.#arm(live, sessions.ofCredential(live.id));
    }
  }

  /** Ends the rotation, now or soon, if it waited for nobody but clients that have moved or gone. */
  async check(id: AuthId): Promise<void> {
    const { ledger, clients, timers } = this.#deps;
    const live = ledger.get(id);
    if (live === undefined || !endsByItself(live)) return;
    const { total } = clients.countOf(live.id);
    if (total <= LARGE_FLEET) await this.#endIfComplete(live);
    else timers.look(live.id, LOOK_MS, () => void this.#endIfComplete(live));
  }

  /** Stops all timers; what is under way goes on at the next start. */
  stop(): void {
    this.#deps.offers.stop();
    this.#deps.timers.stop();
  }

  #plan(live: LiveCredential, graceMs: number | null): RotationPlan {
    const { clock, steady, clients } = this.#deps;
    const [nowMs, steadyMs] = [clock.now(), steady()];
    const endsAtMs = graceMs === null || graceMs === 0 ? null : steadyMs + graceMs;
    return planRotation(live, clients.clientsOf(live.id), { nowMs, steadyMs, graceMs, endsAtMs });
  }

  #describe(live: LiveCredential, { row, shifts, progress }: RotationPlan): StartedRotation {
    const { clients, sessions, pairings } = this.#deps;
    return {
      rotation: describeRotation(row, progress),
      unmovable: sessions.ofCredential(live.id).flatMap(idIfUnshiftable),
      clients: shifts.flatMap(({ row: { client_id: id, state, reason } }) => {
        const client = clients.clientOf(id);
        if (client === undefined) return [];
        return [{ id, name: client.name, connected: client.connected, state, reason }];
      }),
      pairings: row.grace_ms === 0 ? pairings.openOf(live.id) : 0,
    };
  }

  async #endIfComplete(live: LiveCredential): Promise<void> {
    if (!this.#isComplete(live)) return;
    await this.#inTurn(live, async () => {
      if (this.#isComplete(live)) await this.#deps.ending.endByItself(live, "moved");
    });
  }

  #isComplete(live: LiveCredential): boolean {
    if (!endsByItself(live)) return false;
    return !rotationClients(live, this.#deps.clients.clientsOf(live.id)).some(isWaitedFor);
  }

  /** Moves who is connected, and sees to it that the rotation ends. */
  async #arm(live: LiveCredential, connected: readonly SessionHandle[]): Promise<void> {
    const { offers, timers } = this.#deps;
    const { rotation } = live;
    const shifts = connected.map((session) => offers.shift(session));
    timers.cancel(live.id);
    if (rotation?.grace_ms === 0) this.#wait(live, NO_GRACE_MS);
    else if (rotation?.grace_ms !== null) this.#waitForGrace(live);
    await Promise.all(shifts);
    await this.check(live.id);
  }

  #endIf(live: LiveCredential, row: RotationRow): Promise<void> {
    return this.#inTurn(live, async () => {
      if (live.rotation === row) await this.#deps.ending.endByItself(live, "answered");
    });
  }

  #waitForGrace(live: LiveCredential): void {
    const endsAt = live.rotation?.grace_ends_at ?? 0;
    this.#wait(live, Math.max(0, endsAt - this.#deps.steady()));
  }

  #wait(live: LiveCredential, ms: number): void {
    const row = live.rotation;
    this.#deps.timers.end(live.id, ms, () => void this.#due(live, row));
  }

  /** A rotation that began anew meanwhile has an end of its own. */
  async #due(live: LiveCredential, row: RotationRow | undefined): Promise<void> {
    await this.#inTurn(live, async () => {
      if (live.rotation !== row) return;
      const endsAt = row?.grace_ends_at ?? 0;
      if (endsAt > this.#deps.steady()) this.#waitForGrace(live);
      else await this.#deps.ending.endByItself(live, "time");
    });
  }

  #inTurn<T>(live: LiveCredential, job: () => Promise<T>): Promise<T> {
    return this.#deps.store.turn(rotationTurn(live.id), job);
  }
}

function idIfUnshiftable(session: SessionHandle): ClientId[] {
  return isShiftable(session) || session.clientId === undefined ? [] : [session.clientId];
}
