import type { KeyObject } from "node:crypto";
import { FEATURES } from "@rport/protocol/agent";
import type { ClientId, SecretId } from "@rport/protocol/ids";
import type { Clock, Timer } from "../../platform/clock.ts";
import { Lane } from "../../platform/lane.ts";
import type { Log } from "../../platform/log.ts";
import { errorText } from "../../platform/log.ts";
import { RecentMap } from "../../platform/recentMap.ts";
import { Turns } from "../../platform/turns.ts";
import type { EditStore } from "../../store/edits/editStore.ts";
import type { SecretEdit } from "../../store/edits/secretEdit.ts";
import type { ShiftRow } from "../../store/records/shiftRow.ts";
import { retireOlder } from "../admission/admissions.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { LedgerEntry } from "../ledger/ledgerEntry.ts";
import type { MintedSecret } from "../ledger/minting.ts";
import { mintSecret } from "../ledger/minting.ts";
import type { ClientPort, SessionHandle, SessionPort } from "../ports.ts";
import { CAME_LATE, CANNOT_SHIFT, mayBeShifted, NOT_CONFIRMED, WENT_AWAY } from "./progress.ts";

/**
 * Offers under way at a time: enough to be quick, few enough to leave room for other requests. Half of
 * them for one credential: who has its secret can have hosts that answer none.
 */
const RUNNING = 128;
const RUNNING_OF_ONE = RUNNING / 2;
/** An agent has so long before others take its place; what it answers later counts all the same. */
const PLACE_MS = 10_000;
/** An agent that could not store its secret, for example on a full disk, is asked again then. */
const RETRY_MS = 60_000;
/** Clients that had their time and did not answer. */
const LATE_MAX = 10_000;
/** A client may have stored any offer that it did not confirm; beyond these it did not. */
const UNCONFIRMED_KEPT = 2;

/** What offers need. */
export interface OfferDeps {
  readonly ledger: Ledger;
  readonly verifierKey: KeyObject;
  readonly clock: Clock;
  readonly log: Log;
  readonly store: Pick<EditStore, "commit" | "announce">;
  readonly clients: ClientPort;
  readonly sessions: SessionPort;
}

/** Hands connected agents their next secrets: minted durably, offered, and adopted once stored. */
export class Offers {
  readonly #deps: OfferDeps;
  readonly #lane = new Lane({
    running: RUNNING,
    runningOfOne: RUNNING_OF_ONE,
    waiting: Number.POSITIVE_INFINITY,
  });
  readonly #turns = new Turns<SessionHandle>();
  readonly #retries = new Map<SessionHandle, Timer>();
  /** Until when those who did not answer in time are asked nothing again by themselves. */
  readonly #late = new RecentMap<ClientId, number>(LATE_MAX);
  #isStopped = false;

  constructor(deps: OfferDeps) {
    this.#deps = deps;
  }

  /**
   * Moves the session to a secret of its own if it still uses one in grace. Never fails; resolves
   * with true when the agent has answered, or could not, and with false when it was asked ten seconds
   * ago and has not. While one shift is under way another rotation may put its very secret in grace,
   * so the next shift waits for its turn and then looks again.
   */
  shift(session: SessionHandle): Promise<boolean> {
    const late = Promise.withResolvers<void>();
    const shifted = this.#turns.run(session, () => this.#tryShift(session, late));
    return Promise.race([shifted.then(() => true), late.promise.then(() => false)]);
  }

  /** The same for one that has come; a client that did not answer in time lately has to wait. */
  async greet(session: SessionHandle): Promise<void> {
    if (this.#isLate(session)) this.#retryLater(session);
    else await this.shift(session);
  }

  /** Asks no agent again; the next start does. */
  stop(): void {
    this.#isStopped = true;
    for (const timer of this.#retries.values()) timer.cancel();
    this.#retries.clear();
  }

  async #tryShift(session: SessionHandle, late: PromiseWithResolvers<void>): Promise<void> {
    try {
      const begun = await this.#lane.run(async () => {
        const shift = this.#shift(session, late.resolve);
        await Promise.race([shift, late.promise]);
        return { shift };
      }, session.credentialId);
      await begun?.shift;
    } catch (caught) {
      this.#deps.log.warn("a client could not be moved to a new secret", {
        credential: session.credentialId,
        client: session.clientId,
        reason: errorText(caught),
      });
      this.#retryLater(session);
    }
  }

  async #shift(session: SessionHandle, onLate: () => void): Promise<void> {
    const { store } = this.#deps;
    const entry = this.#needsShift(session);
    const { clientId } = session;
    if (entry === undefined || clientId === undefined) return;
    if (!mayBeShifted(entry, clientId, session.secretId)) {
      await this.#setAside(entry, clientId, CAME_LATE);
      return;
    }
    if (!isShiftable(session)) {
      await this.#setAside(entry, clientId, CANNOT_SHIFT);
      return;
    }
    const minted = await this.#mint(entry, clientId, session.secretId);
    if (this.#needsShift(session) === undefined) {
      // What made it needless, or took its secret away, must not be undone by this offer.
      await store.commit([{ kind: "remove", credential: entry.id, id: minted.secretId }]);
      return;
    }
    if (await this.#isStored(session, minted, onLate)) await this.#adopt(entry, session, minted);
    else await this.#failed(entry, session, minted);
  }

  /** Nothing can be offered to it: it has to be told otherwise. */
  async #setAside(entry: LedgerEntry, clientId: ClientId, reason: string): Promise<void> {
    const before = entry.shiftOf(clientId);
    if (before?.state === "straggler" && before.reason === reason) return;
    const row = { state: "straggler", reason, secret_id: null } as const;
    const shift = { ...this.#base(entry, clientId), ...row };
    await this.#deps.store.commit([{ kind: "shift", row: shift }]);
  }

  async #failed(entry: LedgerEntry, session: SessionHandle, minted: MintedSecret): Promise<void> {
    const { clientId } = session;
    const isThere = this.#isThere(session);
    if (isThere) this.#retryLater(session);
    if (clientId === undefined) return;
    await this.#note(entry, clientId, {
      secret: minted.secretId,
      state: isThere ? "straggler" : "pending",
      reason: isThere ? NOT_CONFIRMED : WENT_AWAY,
    });
  }

  /** Where a client stands is for people to see: a disk that refuses it holds nothing up. */
  async #note(
    entry: LedgerEntry,
    clientId: ClientId,
    what: Pick<ShiftRow, "state" | "reason"> & { readonly secret: SecretId },
  ): Promise<void> {
    const { store, log } = this.#deps;
    await store.commit([this.#shifted(entry, clientId, what)]).catch((caught: unknown) => {
      const reason = errorText(caught);
      log.warn("the progress of a rotation was not written", { reason });
    });
  }

  #shifted(
    entry: LedgerEntry,
    client: ClientId,
    what: Pick<ShiftRow, "state" | "reason"> & { readonly secret: SecretId },
  ): SecretEdit {
    const { secret, state, reason } = what;
    const to = { state, reason, changed_at: this.#deps.clock.now() };
    return { kind: "shifted", credential: entry.id, client, secret, to };
  }

  #base(entry: LedgerEntry, clientId: ClientId) {
    return { credential_id: entry.id, client_id: clientId, changed_at: this.#deps.clock.now() };
  }

  async #isStored(
    session: SessionHandle,
    minted: MintedSecret,
    onLate: () => void,
  ): Promise<boolean> {
    const timer = this.#deps.clock.after(PLACE_MS, () => {
      this.#noteLate(session);
      onLate();
    });
    try {
      return await session.offerSecret({ secretId: minted.secretId, secret: minted.secret });
    } catch (caught) {
      this.#deps.log.debug("an agent did not take its new secret", { reason: errorText(caught) });
      return false;
    } finally {
      timer.cancel();
    }
  }

  #noteLate({ clientId }: SessionHandle): void {
    if (clientId !== undefined) this.#late.set(clientId, this.#deps.clock.monotonic() + RETRY_MS);
  }

  #isLate({ clientId }: SessionHandle): boolean {
    const untilMs = clientId === undefined ? undefined : this.#late.get(clientId);
    return untilMs !== undefined && this.#deps.clock.monotonic() < untilMs;
  }

  #retryLater(session: SessionHandle): void {
    if (this.#isStopped) return;
    this.#retries.get(session)?.cancel();
    const timer = this.#deps.clock.after(RETRY_MS, () => {
      this.#retries.delete(session);
      if (this.#isThere(session)) void this.shift(session);
    });
    this.#retries.set(session, timer);
  }

  #isThere(session: SessionHandle): boolean {
    return this.#deps.sessions.ofCredential(session.credentialId).includes(session);
  }

  #isRevoked({ clientId }: SessionHandle): boolean {
    return clientId !== undefined && this.#deps.clients.clientOf(clientId)?.isRevoked === true;
  }

  /** The session's credential when its secret is in grace. */
  #needsShift(session: SessionHandle): LedgerEntry | undefined {
    const entry = this.#deps.ledger.get(session.credentialId);
    if (entry === undefined || this.#isRevoked(session)) return undefined;
    const isInGrace = entry.secret(session.secretId)?.state === "grace";
    return isInGrace && entry.record.state === "active" ? entry : undefined;
  }

  async #mint(entry: LedgerEntry, clientId: ClientId, present: SecretId): Promise<MintedSecret> {
    const { verifierKey, clock, store } = this.#deps;
    const purpose = { origin: "rotation" as const, nowMs: clock.now(), clientId };
    const minted = mintSecret(entry, verifierKey, purpose);
    const add: SecretEdit = { kind: "add", row: minted.row };
    const row = { state: "offered", reason: "", secret_id: minted.secretId } as const;
    const shift: SecretEdit = { kind: "shift", row: { ...this.#base(entry, clientId), ...row } };
    await store.commit([add, ...dropUnconfirmed(entry, clientId, present), shift]);
    return minted;
  }

  async #adopt(entry: LedgerEntry, session: SessionHandle, minted: MintedSecret): Promise<void> {
    const clientId = session.clientId;
    if (clientId === undefined) return;
    const secret = minted.secretId;
    await this.#note(entry, clientId, { secret, state: "stored", reason: "" });
    const state = entry.secret(secret)?.state;
    if (state === undefined || state === "revoked") {
      session.cut("its new secret was revoked");
      return;
    }
    session.adoptSecret(secret);
    const retired = retireOlder(entry, minted.row, clientId);
    const { store, clock } = this.#deps;
    const used: SecretEdit = {
      kind: "used",
      credential: entry.id,
      id: secret,
      atMs: clock.now(),
    };
    // It is, whatever becomes of the write: ahead of the disk.
    store.announce([used]);
    const done = this.#shifted(entry, clientId, { secret, state: "done", reason: "" });
    await store.commit([...retired, done], [used]);
  }
}

/** Whether the agent understands that it is handed another secret. */
export function isShiftable(session: SessionHandle): boolean {
  return session.clientId !== undefined && session.features.includes(FEATURES.rotateSecret);
}

/** What came after the present secret, was offered, and by now was surely not stored. */
function dropUnconfirmed(entry: LedgerEntry, clientId: ClientId, present: SecretId): SecretEdit[] {
  const presentSeq = entry.secret(present)?.seq ?? 0;
  const unconfirmed = entry
    .secretsOf(clientId)
    .filter(({ origin, last_used_at: usedAt }) => origin === "rotation" && usedAt === null)
    .filter(({ seq, state }) => seq > presentSeq && state !== "revoked");
  const surplus = unconfirmed.slice(0, Math.max(0, unconfirmed.length - UNCONFIRMED_KEPT + 1));
  return surplus.map(({ id }) => ({ kind: "remove", credential: entry.id, id }));
}
