import type { AuthId, ClientId } from "@rport/protocol/ids";
import type { Rotation } from "@rport/protocol/model";
import type { Clock, Timer } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { errorText } from "../platform/log.ts";
import type { SecretEdit } from "../store/secretEdit.ts";
import type { RotationRow } from "../store/secretRow.ts";
import type { Ledger } from "./ledger.ts";
import type { LiveCredential } from "./liveCredential.ts";
import type { Offers } from "./offers.ts";
import { isMovable } from "./offers.ts";
import { describeRotation, progressOf } from "./rotationProgress.ts";
import type { CredentialTouch, PairingPort, SessionHandle, SessionPort } from "./session.ts";

/** Without grace, connected agents have this long to answer before the old secrets stop. */
const NO_GRACE_MS = 10_000;
/** A disk that refused the end of a rotation is asked again then. */
const RETRY_MS = 60_000;

/** What rotations need. */
export interface RotationDeps {
  readonly ledger: Ledger;
  readonly offers: Offers;
  readonly clock: Clock;
  readonly log: Log;
  readonly touch: CredentialTouch;
  readonly sessions: () => SessionPort;
  readonly pairings: () => PairingPort;
}

/** A rotation that has begun. */
export interface StartedRotation {
  readonly rotation: Rotation;
  /** Connected clients whose agents cannot take another secret. */
  readonly unmovable: ClientId[];
}

/**
 * Replaces the secrets of a credential under its running agents. All that has to be known is in
 * the rows: after a restart the rotation goes on where it was.
 */
export class Rotations {
  readonly #deps: RotationDeps;
  readonly #timers = new Map<AuthId, Timer>();

  constructor(deps: RotationDeps) {
    this.#deps = deps;
  }

  /** Puts all secrets in grace, durably, and begins to move the connected clients. */
  async start(live: LiveCredential, graceMs: number | null): Promise<StartedRotation> {
    const { ledger, clock, touch, sessions } = this.#deps;
    const nowMs = clock.now();
    const endsAtMs = graceMs === null || graceMs === 0 ? null : nowMs + graceMs;
    const edits: SecretEdit[] = live
      .secrets()
      .filter((row) => row.state !== "revoked")
      .map((row) => ({ kind: "grace", id: row.id, atMs: nowMs, endsAtMs }));
    const row = startedRow(live.id, { nowMs, graceMs, endsAtMs });
    await ledger.edit(live, [...edits, { kind: "rotation", row }]);
    if (graceMs === 0) this.#deps.pairings().revokeOf(live.id);
    const connected = sessions().ofCredential(live.id);
    const clients = sessions().clientsOf(live.id);
    for (const client of clients) touch("client", client.id);
    touch("credential", live.id);
    const rotation = describeRotation(row, progressOf(live, clients));
    const moved = this.#arm(live, connected);
    // Without grace the end comes with the last answer.
    if (graceMs === 0) void moved.then(() => this.#endIf(live, row));
    return { rotation, unmovable: connected.flatMap(idIfUnmovable) };
  }

  /** Goes on with what was under way when the process ended. */
  resume(): void {
    for (const live of this.#deps.ledger.all()) {
      if (isUnderWay(live)) void this.#arm(live, this.#deps.sessions().ofCredential(live.id));
    }
  }

  /** Ends the rotation if it waited for nobody but the clients that have moved now. */
  async check(live: LiveCredential): Promise<void> {
    if (!isUnderWay(live) || live.rotation?.grace_ms !== null) return;
    const { moved, total } = progressOf(live, this.#deps.sessions().clientsOf(live.id));
    if (moved === total) await this.#end(live);
  }

  /** Forgets the timer of a credential. */
  cancel(id: AuthId): void {
    this.#timers.get(id)?.cancel();
    this.#timers.delete(id);
  }

  /** Stops all timers; what is under way goes on at the next start. */
  stop(): void {
    for (const id of [...this.#timers.keys()]) this.cancel(id);
  }

  /** Moves who is connected, and sees to it that the rotation ends. */
  async #arm(live: LiveCredential, connected: readonly SessionHandle[]): Promise<void> {
    const { rotation } = live;
    const moves = connected.filter(isMovable).map((session) => this.#deps.offers.move(session));
    if (rotation?.grace_ms === 0) this.#wait(live, NO_GRACE_MS);
    else if (rotation?.grace_ms !== null) this.#waitForGrace(live);
    await Promise.all(moves);
    await this.check(live);
  }

  async #endIf(live: LiveCredential, row: RotationRow): Promise<void> {
    if (live.rotation === row) await this.#end(live);
  }

  #waitForGrace(live: LiveCredential): void {
    const endsAt = live.rotation?.grace_ends_at ?? 0;
    this.#wait(live, Math.max(0, endsAt - this.#deps.clock.now()));
  }

  #wait(live: LiveCredential, ms: number): void {
    this.cancel(live.id);
    this.#timers.set(
      live.id,
      this.#deps.clock.after(ms, () => void this.#due(live)),
    );
  }

  /** The machine's clock may have been set back since the timer was. */
  async #due(live: LiveCredential): Promise<void> {
    const endsAt = live.rotation?.grace_ends_at ?? 0;
    if (endsAt > this.#deps.clock.now()) this.#waitForGrace(live);
    else await this.#end(live);
  }

  /** The old secrets stop: durably first, then the sessions that still stand on them. */
  async #end(live: LiveCredential): Promise<void> {
    const { ledger, clock, log, touch, sessions } = this.#deps;
    if (!isUnderWay(live) || live.rotation === undefined) return;
    this.cancel(live.id);
    const atMs = clock.now();
    const inGrace = live.secrets().filter((row) => row.state === "grace");
    const edits: SecretEdit[] = inGrace.map((row) => ({ kind: "revoke", id: row.id, atMs }));
    const row: RotationRow = { ...live.rotation, ended_at: atMs };
    try {
      await ledger.edit(live, [...edits, { kind: "rotation", row }]);
    } catch (caught) {
      log.error("the end of a rotation was not written", { reason: errorText(caught) });
      this.#wait(live, RETRY_MS);
      return;
    }
    const old = new Set(inGrace.map((secret) => secret.id));
    for (const session of sessions().ofCredential(live.id)) {
      if (old.has(session.secretId)) session.cut("the secret was rotated and its grace is over");
    }
    touch("credential", live.id);
  }
}

function startedRow(
  id: AuthId,
  times: { nowMs: number; graceMs: number | null; endsAtMs: number | null },
): RotationRow {
  return {
    credential_id: id,
    started_at: times.nowMs,
    grace_ms: times.graceMs,
    grace_ends_at: times.endsAtMs,
    ended_at: null,
  };
}

function isUnderWay(live: LiveCredential): boolean {
  return live.record.state === "active" && live.rotation?.ended_at === null;
}

function idIfUnmovable(session: SessionHandle): ClientId[] {
  return isMovable(session) || session.clientId === undefined ? [] : [session.clientId];
}
