import { RportError } from "@rport/protocol/errors";
import type { NewPairing } from "@rport/protocol/http";
import type { AuthId, PairingId, SecretId } from "@rport/protocol/ids";
import type { Pairing } from "@rport/protocol/model";
import {
  type ClaimAnswer,
  type ClaimRequest,
  PAIRING_REFUSED,
  PAIRING_TTL_S,
} from "@rport/protocol/pairing";
import { newPairingToken, tokenParts } from "@rport/protocol/sealing";
import type { PairingEvents } from "../audit/pairingEvents.ts";
import { type Clock, type Timer, toTime } from "../platform/clock.ts";
import { errorText, type Log } from "../platform/log.ts";
import { Deposit, type Moment, REPEAT_MS } from "./deposit.ts";
import { FailureLimit } from "./failures.ts";
import {
  draftPayload,
  type Minted,
  newPairing,
  type PairingInput,
  type PairingServer,
  sealUses,
} from "./offer.ts";

/** Pairings that can be open at once. */
const OPEN_MAX = 1_000;
/** How long an ended pairing stays listed, so that people see what became of it. */
const LISTED_AFTER_END_MS = 30 * 60_000;
/** A claimed secret outlives its pairing by this, so that a claim in the last second still works. */
const SECRET_MARGIN_MS = 60_000;

/** What pairings need of the credentials. */
export interface PairingSecrets {
  /** Fresh secrets that stop working at `expiresAt` (ms since the epoch) unless used before. */
  mintForPairing(id: AuthId, count: number, expiresAt: number): Promise<readonly Minted[]>;
  /** Throws unless all of these still open the credential. */
  requireUsable(id: AuthId, ids: readonly SecretId[]): void;
  revokeSecrets(ids: readonly SecretId[]): Promise<void>;
}

/** What the service needs. */
export interface PairingDeps extends PairingServer {
  readonly credentials: PairingSecrets;
  readonly clock: Clock;
  readonly log: Log;
  readonly touch: (entity: "pairing", id: string) => void;
  /** Writes down claims and ends; absent in tests of pairings alone. */
  readonly events?: PairingEvents;
}

interface Entry {
  readonly deposit: Deposit;
  timer: Timer;
}

/**
 * Pairings, in memory only: a restart ends them all, and no disk ever holds one. The service keeps
 * envelopes it cannot open; the token that opens them is in the answer of `create` and nowhere else.
 */
export class PairingService {
  readonly #deps: PairingDeps;
  readonly #entries = new Map<PairingId, Entry>();
  readonly #failures: FailureLimit;
  #open = 0;
  #isClosed = false;

  constructor(deps: PairingDeps) {
    this.#deps = deps;
    this.#failures = new FailureLimit(deps.clock);
  }

  /** Opens a pairing. Throws what minting and `requireUsable` throw, and `UNAVAILABLE` when too many are open. */
  async create(input: PairingInput): Promise<NewPairing> {
    const { clock, credentials, touch } = this.#deps;
    if (this.#isClosed || this.#open >= OPEN_MAX) {
      throw new RportError("UNAVAILABLE", "Too many pairings are open; revoke some or wait.");
    }
    const draft = draftPayload(input, this.#deps);
    const ttlMs = (input.ttlS ?? PAIRING_TTL_S) * 1_000;
    const createdAtMs = clock.now();
    const deadlineMs = clock.monotonic() + ttlMs;
    const expiresAtMs = createdAtMs + ttlMs;
    this.#open += 1;
    try {
      const { credentialId, uses: count } = input;
      const until = expiresAtMs + SECRET_MARGIN_MS;
      const minted = await credentials.mintForPairing(credentialId, count, until);
      // Whoever deleted the credential meanwhile has ended the pairings that were kept by then.
      credentials.requireUsable(
        credentialId,
        minted.map(({ secretId }) => secretId),
      );
      const token = newPairingToken();
      const parts = tokenParts(token);
      const uses = sealUses(parts, minted, { draft, expires: toTime(expiresAtMs) });
      const times = { createdAtMs, deadlineMs, expiresAtMs };
      const deposit = new Deposit({ ...parts, ...times, credentialId, uses });
      this.#keep(deposit);
      touch("pairing", deposit.id);
      return newPairing(deposit, token, { draft, server: this.#deps });
    } catch (error) {
      this.#open -= 1;
      throw error;
    }
  }

  /** All pairings that are open or ended lately, in order of creation. */
  list(): Pairing[] {
    return [...this.#entries.values()].map((entry) => entry.deposit.view());
  }

  /** One pairing, or undefined when it is unknown or ended long ago. */
  get(id: PairingId): Pairing | undefined {
    return this.#entries.get(id)?.deposit.view();
  }

  /**
   * Hands a use over to an installer that proves to know the token. Every refusal is the same
   * `PAIRING_NOT_FOUND`, whatever its reason; too many from one address: `TOO_MANY_REQUESTS`.
   */
  claim(request: ClaimRequest, address: string): ClaimAnswer {
    if (this.#failures.isExhausted(address)) {
      this.#deps.events?.claimFailed(undefined, address);
      throw new RportError("TOO_MANY_REQUESTS", "Too many failed attempts; try again in a minute.");
    }
    const entry = this.#entries.get(request.id);
    const outcome = entry?.deposit.claim(request, address, this.#moment());
    if (entry !== undefined && outcome?.kind === "handedOver") {
      if (!outcome.isRepeat) this.#claimed(entry, request, address);
      return { envelope: outcome.envelope };
    }
    this.#failures.count(address);
    this.#deps.events?.claimFailed(entry?.deposit.view(), address);
    if (entry !== undefined && outcome?.kind === "wrongProof") {
      this.#deps.log.warn("pairing: wrong proof", { pairing: request.id, address });
      if (outcome.burnt) this.#burn(entry);
    }
    throw new RportError("PAIRING_NOT_FOUND", PAIRING_REFUSED);
  }

  /** Ends a pairing and revokes what nobody claimed. Throws `PAIRING_NOT_FOUND` when unknown. */
  async revoke(id: PairingId): Promise<void> {
    const entry = this.#entries.get(id);
    if (entry === undefined) {
      throw new RportError("PAIRING_NOT_FOUND", "There is no such pairing.");
    }
    const unclaimed = this.#end(entry, "revoked");
    if (unclaimed.length > 0) await this.#deps.credentials.revokeSecrets(unclaimed);
  }

  /**
   * Ends the pairings of a credential that is being deleted, or those that would hand out one of
   * these secrets, and says how many were open.
   */
  revokeOf(credentialId: AuthId, secrets?: ReadonlySet<SecretId>): number {
    let count = 0;
    for (const entry of this.#entries.values()) {
      if (!isOf(entry.deposit, credentialId, secrets)) continue;
      if (entry.deposit.state === "active") count += 1;
      this.#end(entry, "revoked");
    }
    return count;
  }

  /** How many pairings of a credential are open; with `secrets`: would hand out one of them. */
  openOf(credentialId: AuthId, secrets?: ReadonlySet<SecretId>): number {
    const open = [...this.#entries.values()].filter(
      ({ deposit }) => deposit.state === "active" && isOf(deposit, credentialId, secrets),
    );
    return open.length;
  }

  /** Forgets and overwrites everything. */
  close(): void {
    this.#isClosed = true;
    for (const entry of this.#entries.values()) {
      entry.timer.cancel();
      entry.deposit.wipe();
    }
    this.#entries.clear();
  }

  #keep(deposit: Deposit): void {
    const { clock } = this.#deps;
    const ttlMs = deposit.deadlineMs - clock.monotonic();
    const entry: Entry = { deposit, timer: clock.after(ttlMs, () => this.#expire(entry)) };
    this.#entries.set(deposit.id, entry);
  }

  #claimed(entry: Entry, request: ClaimRequest, address: string): void {
    const { clock, log, touch } = this.#deps;
    log.info("pairing claimed", { pairing: request.id, client: request.client_id, address });
    this.#deps.events?.claimed(entry.deposit.view(), request, address);
    touch("pairing", request.id);
    if (entry.deposit.state !== "used") return;
    this.#open -= 1;
    entry.timer.cancel();
    entry.timer = clock.after(REPEAT_MS, () => {
      entry.deposit.wipe();
      this.#forgetLater(entry);
    });
  }

  #expire(entry: Entry): void {
    this.#deps.events?.ended(entry.deposit.view(), "expired");
    this.#end(entry, "expired");
  }

  #burn(entry: Entry): void {
    const { credentials, log, events } = this.#deps;
    events?.ended(entry.deposit.view(), "guessed");
    log.warn("pairing destroyed after too many wrong proofs", { pairing: entry.deposit.id });
    const unclaimed = this.#end(entry, "revoked");
    credentials.revokeSecrets(unclaimed).catch((error: unknown) => {
      log.error("pairing: secrets could not be revoked", { reason: errorText(error) });
    });
  }

  #end(entry: Entry, state: "expired" | "revoked"): readonly SecretId[] {
    const wasOpen = entry.deposit.state === "active";
    const unclaimed = entry.deposit.end(state);
    if (!wasOpen) return unclaimed;
    this.#open -= 1;
    this.#forgetLater(entry);
    this.#deps.touch("pairing", entry.deposit.id);
    return unclaimed;
  }

  #forgetLater(entry: Entry): void {
    entry.timer.cancel();
    entry.timer = this.#deps.clock.after(LISTED_AFTER_END_MS, () => {
      this.#entries.delete(entry.deposit.id);
      this.#deps.touch("pairing", entry.deposit.id);
    });
  }

  #moment(): Moment {
    return { nowMs: this.#deps.clock.now(), monotonicMs: this.#deps.clock.monotonic() };
  }
}

function isOf(deposit: Deposit, id: AuthId, secrets?: ReadonlySet<SecretId>): boolean {
  return deposit.credentialId === id && (secrets === undefined || deposit.holds(secrets));
}
