import { RportError } from "@rport/protocol/errors";
import type { AuthId, ClientId, SecretId } from "@rport/protocol/ids";
import type { Rotation } from "@rport/protocol/model";
import type { DeletionReport, RotationClient } from "@rport/protocol/report";
import type { RotationEnd, RotationEvents } from "../../audit/rotationEvents.ts";
import type { Clock, Timer } from "../../platform/clock.ts";
import type { Log } from "../../platform/log.ts";
import { errorText } from "../../platform/log.ts";
import type { SteadyTime } from "../../platform/steadyTime.ts";
import { Turns } from "../../platform/turns.ts";
import type { SecretEdit } from "../../store/secretEdit.ts";
import type { RotationRow } from "../../store/secretRow.ts";
import { type Arrears, failureOf, notDurable } from "../ledger/arrears.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { LiveCredential } from "../ledger/liveCredential.ts";
import type {
  ClientRef,
  CredentialTouch,
  PairingPort,
  SessionHandle,
  SessionPort,
} from "../ports.ts";
import { type Blast, blastOfSecrets, reportOf, strike } from "../removal/blast.ts";
import type { Offers } from "./offers.ts";
import { isShiftable } from "./offers.ts";
import { cancelEdits, endEdits, planRotation, type RotationPlan, secretsInGrace } from "./plan.ts";
import { describeRotation, isWaitedFor, rotationClients, secretStoodOn } from "./progress.ts";

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
  readonly arrears: Arrears;
  readonly offers: Offers;
  readonly clock: Clock;
  /** A grace is measured by this one. */
  readonly steady: SteadyTime;
  readonly log: Log;
  readonly touch: CredentialTouch;
  readonly sessions: () => SessionPort;
  readonly pairings: () => PairingPort;
  readonly rotationEvents?: RotationEvents;
}

/** An end that is in force; `failure`: the disk does not know yet. */
interface EndedRotation {
  readonly report: DeletionReport;
  readonly failure: RportError | undefined;
}

/** A rotation that has begun or, when nothing was to be changed, would begin. */
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
 * credential's rotations take turns.
 */
export class Rotations {
  readonly #deps: RotationDeps;
  readonly #timers = new Map<AuthId, Timer>();
  readonly #looks = new Map<AuthId, Timer>();
  readonly #turns = new Turns<AuthId>();

  constructor(deps: RotationDeps) {
    this.#deps = deps;
  }

  /**
   * Puts all secrets in grace, durably, and begins to move the connected clients. A rotation that
   * is under way begins anew. With `dryRun` it only tells what would happen.
   */
  start(live: LiveCredential, graceMs: number | null, dryRun = false): Promise<StartedRotation> {
    return this.#turns.run(live.id, async () => {
      const { ledger, touch } = this.#deps;
      const plan = this.#plan(live, graceMs);
      const started = this.#describe(live, plan);
      if (dryRun) return started;
      await ledger.edit(live, plan.edits);
      if (graceMs === 0) this.#deps.pairings().revokeOf(live.id);
      for (const shift of plan.shifts) touch("client", shift.row.client_id);
      touch("credential", live.id);
      const moved = this.#arm(live, this.#deps.sessions().ofCredential(live.id));
      // Without grace the end comes with the last answer.
      if (graceMs === 0) void moved.then(() => this.#endIf(live, plan.row));
      return started;
    });
  }

  /**
   * The old secrets stop now, and whoever still stands on one is cut. Fails with `CONFLICT` when no
   * rotation is under way, with `NOT_DURABLE` when they have stopped and the disk does not know yet.
   * With `dryRun` it only tells who would be hit.
   */
  finish(live: LiveCredential, dryRun: boolean): Promise<DeletionReport> {
    return this.#turns.run(live.id, async () => {
      this.#requireUnderWay(live);
      if (dryRun) return reportOf(this.#blast(live, oldSecrets(live)));
      const { report, failure } = await this.#end(live);
      if (failure === undefined) return report;
      throw notDurable("The old secrets open nothing any more", failure);
    });
  }

  /**
   * The old secrets are as good as before; who has moved stays moved. Fails with `CONFLICT` when no
   * rotation is under way.
   */
  abandon(live: LiveCredential): Promise<void> {
    return this.#turns.run(live.id, async () => {
      const { ledger, clock, touch, sessions } = this.#deps;
      const rotation = this.#requireUnderWay(live);
      const clients = sessions().clientsOf(live.id);
      await ledger.edit(live, cancelEdits(live, rotation, clock.now()));
      this.cancel(live.id);
      for (const client of clients) touch("client", client.id);
      touch("credential", live.id);
    });
  }

  /** Goes on with what was under way when the process ended. */
  resume(): void {
    for (const live of this.#deps.ledger.all()) {
      if (isUnderWay(live)) void this.#arm(live, this.#deps.sessions().ofCredential(live.id));
    }
  }

  /**
   * Ends the rotation, now or soon, if it waited for nobody but the clients that have moved now.
   */
  async check(live: LiveCredential): Promise<void> {
    if (!endsByItself(live) || this.#looks.has(live.id)) return;
    const { total } = this.#deps.sessions().countOf(live.id);
    if (total <= LARGE_FLEET) await this.#endIfComplete(live);
    else this.#lookLater(live);
  }

  /** Forgets the timers of a credential. */
  cancel(id: AuthId): void {
    for (const timers of [this.#timers, this.#looks]) {
      timers.get(id)?.cancel();
      timers.delete(id);
    }
  }

  /** Stops all timers; what is under way goes on at the next start. */
  stop(): void {
    this.#deps.offers.stop();
    for (const id of [...this.#timers.keys(), ...this.#looks.keys()]) this.cancel(id);
  }

  #plan(live: LiveCredential, graceMs: number | null): RotationPlan {
    const [nowMs, steadyMs] = [this.#deps.clock.now(), this.#deps.steady()];
    const endsAtMs = graceMs === null || graceMs === 0 ? null : steadyMs + graceMs;
    const clients = this.#deps.sessions().clientsOf(live.id);
    return planRotation(live, clients, { nowMs, steadyMs, graceMs, endsAtMs });
  }

  #describe(live: LiveCredential, { row, shifts, progress }: RotationPlan): StartedRotation {
    const { sessions, pairings } = this.#deps;
    return {
      rotation: describeRotation(row, progress),
      unmovable: sessions().ofCredential(live.id).flatMap(idIfUnmovable),
      clients: shifts.flatMap(({ row: { client_id: id, state, reason } }) => {
        const client = sessions().clientOf(id);
        if (client === undefined) return [];
        return [{ id, name: client.name, connected: client.connected, state, reason }];
      }),
      pairings: row.grace_ms === 0 ? pairings().openOf(live.id) : 0,
    };
  }

  #lookLater(live: LiveCredential): void {
    const timer = this.#deps.clock.after(LOOK_MS, () => {
      this.#looks.delete(live.id);
      void this.#endIfComplete(live);
    });
    this.#looks.set(live.id, timer);
  }

  async #endIfComplete(live: LiveCredential): Promise<void> {
    if (!this.#isComplete(live)) return;
    await this.#turns.run(live.id, async () => {
      if (this.#isComplete(live)) await this.#endByItself(live, "moved");
    });
  }

  #isComplete(live: LiveCredential): boolean {
    if (!endsByItself(live)) return false;
    return !rotationClients(live, this.#deps.sessions().clientsOf(live.id)).some(isWaitedFor);
  }

  /** Moves who is connected, and sees to it that the rotation ends. */
  async #arm(live: LiveCredential, connected: readonly SessionHandle[]): Promise<void> {
    const { rotation } = live;
    const shifts = connected.map((session) => this.#deps.offers.shift(session));
    this.cancel(live.id);
    if (rotation?.grace_ms === 0) this.#wait(live, NO_GRACE_MS);
    else if (rotation?.grace_ms !== null) this.#waitForGrace(live);
    await Promise.all(shifts);
    await this.check(live);
  }

  #endIf(live: LiveCredential, row: RotationRow): Promise<void> {
    return this.#turns.run(live.id, async () => {
      if (live.rotation === row) await this.#endByItself(live, "answered");
    });
  }

  #waitForGrace(live: LiveCredential): void {
    const endsAt = live.rotation?.grace_ends_at ?? 0;
    this.#wait(live, Math.max(0, endsAt - this.#deps.steady()));
  }

  #wait(live: LiveCredential, ms: number): void {
    this.cancel(live.id);
    const row = live.rotation;
    this.#timers.set(
      live.id,
      this.#deps.clock.after(ms, () => void this.#due(live, row)),
    );
  }

  /** A rotation that began anew meanwhile has an end of its own. */
  async #due(live: LiveCredential, row: RotationRow | undefined): Promise<void> {
    await this.#turns.run(live.id, async () => {
      if (live.rotation !== row) return;
      const endsAt = row?.grace_ends_at ?? 0;
      if (endsAt > this.#deps.steady()) this.#waitForGrace(live);
      else await this.#endByItself(live, "time");
    });
  }

  async #endByItself(live: LiveCredential, why: RotationEnd): Promise<void> {
    const { log, rotationEvents } = this.#deps;
    if (!isUnderWay(live)) return;
    try {
      const { report, failure } = await this.#end(live);
      rotationEvents?.ended(live.id, why, report);
      if (failure === undefined) return;
      log.error("the end of a rotation is not on disk yet", { reason: failure.message });
    } catch (caught) {
      log.error("a rotation could not be ended", { reason: errorText(caught) });
    }
  }

  /**
   * The old secrets stop: durably first, then the sessions that still stand on them. A disk that
   * refuses keeps no old secret good: it is told later, and a restart before that ends the rotation
   * once more. Who is hit is looked up after that: somebody may have moved while it was written.
   */
  async #end(live: LiveCredential): Promise<EndedRotation> {
    const { ledger, arrears, clock, touch } = this.#deps;
    const rotation = this.#requireUnderWay(live);
    const old = oldSecrets(live);
    const edits = endEdits(live, rotation, clock.now());
    const failure = await failureOf(() => ledger.edit(live, edits));
    if (failure !== undefined) {
      ledger.editInMemory(live, edits);
      arrears.owe(() => this.#makeUp(live, edits));
    }
    this.cancel(live.id);
    touch("credential", live.id);
    const blast = this.#blast(live, old);
    const report = strike(blast, "the secret was rotated and its grace is over", touch);
    return { report, failure };
  }

  /** Writes an end that the disk refused; another rotation that has begun since goes on. */
  #makeUp(live: LiveCredential, edits: readonly SecretEdit[]): Promise<void> {
    const { ledger } = this.#deps;
    return this.#turns.run(live.id, async () => {
      if (ledger.get(live.id) !== live) return;
      const isLast = edits.some((edit) => edit.kind === "rotation" && edit.row === live.rotation);
      await ledger.edit(live, isLast ? edits : edits.filter(({ kind }) => kind === "revoke"));
    });
  }

  #blast(live: LiveCredential, old: ReadonlySet<SecretId>): Blast {
    const isHit = (client: ClientRef): boolean => {
      const id = secretStoodOn(live, client)?.id;
      return id !== undefined && old.has(id);
    };
    return blastOfSecrets(live.id, old, { ...this.#deps, isHit });
  }

  #requireUnderWay(live: LiveCredential): RotationRow {
    if (isUnderWay(live) && live.rotation !== undefined) return live.rotation;
    throw new RportError("CONFLICT", "No rotation of this credential is under way.");
  }
}

function oldSecrets(live: LiveCredential): ReadonlySet<SecretId> {
  return new Set(secretsInGrace(live).map(({ id }) => id));
}

function isUnderWay(live: LiveCredential): boolean {
  return live.record.state === "active" && live.rotation?.ended_at === null;
}

/** Whether it ends with the last client that moves, rather than at a time. */
function endsByItself(live: LiveCredential): boolean {
  return isUnderWay(live) && live.rotation?.grace_ms === null;
}

function idIfUnmovable(session: SessionHandle): ClientId[] {
  return isShiftable(session) || session.clientId === undefined ? [] : [session.clientId];
}
