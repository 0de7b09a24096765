import { RportError } from "@rport/protocol/errors";
import type { NewPairing } from "@rport/protocol/http";
import type { AuthId, PairingId, SecretId } from "@rport/protocol/ids";
import type { Pairing } from "@rport/protocol/model";
import { PAIRING_TTL_S } from "@rport/protocol/pairing";
import type { PairingEvents } from "../audit/pairingEvents.ts";
import type { Clock, Timer } from "../platform/clock.ts";
import { errorText, type Log } from "../platform/log.ts";
import { ListedPairing } from "./listedPairing.ts";
import { draftPayload, type PairingInput, type PairingServer } from "./offer.ts";
import type {
  Deposited,
  MintedSecret,
  PairingClaim,
  PairingDraft,
  PairingTarget,
} from "./target.ts";

/** Pairings that can be open at once. */
const OPEN_MAX = 1_000;
/** How long an ended pairing stays listed, so that people see what became of it. */
const LISTED_AFTER_END_MS = 30 * 60_000;
/** A claimed secret outlives its pairing by this, so that a claim in the last second still works. */
const SECRET_MARGIN_MS = 60_000;

/** What pairings need of the credentials. */
export interface PairingSecrets {
  /** Fresh secrets that stop working at `expiresAt` (ms since the epoch) unless used before. */
  mintForPairing(id: AuthId, count: number, expiresAt: number): Promise<readonly MintedSecret[]>;
  /** Throws unless all of these still open the credential. */
  requireUsable(id: AuthId, ids: readonly SecretId[]): void;
  revokeSecrets(ids: readonly SecretId[]): Promise<void>;
}

/** What the service needs. */
export interface PairingServiceDeps extends PairingServer {
  readonly credentials: PairingSecrets;
  readonly target: PairingTarget;
  readonly clock: Clock;
  readonly log: Log;
  readonly touch: (entity: "pairing", id: string) => void;
  /** Writes down claims and ends; absent in tests of pairings alone. */
  readonly events?: PairingEvents;
}

interface Entry {
  readonly pairing: ListedPairing;
  timer: Timer;
}

/**
 * The pairings, from their making to half an hour after their end; a restart ends them all. Secrets
 * are minted here and lie with the target until a host comes for them.
 */
export class PairingService {
  readonly #deps: PairingServiceDeps;
  readonly #entries = new Map<PairingId, Entry>();
  #open = 0;
  #isClosed = false;

  constructor(deps: PairingServiceDeps) {
    this.#deps = deps;
    deps.target.watch({
      onClaimed: (id, claim) => this.#onClaimed(id, claim),
      onRefused: (id, address) => this.#onRefused(id, address),
      onGuessed: (id) => this.#onGuessed(id),
    });
  }

  /**
   * Opens a pairing. Throws what minting, `requireUsable` and the target throw, and `UNAVAILABLE` when
   * too many are open.
   */
  async create(input: PairingInput): Promise<NewPairing> {
    const { clock } = this.#deps;
    if (this.#isClosed || this.#open >= OPEN_MAX) {
      throw new RportError("UNAVAILABLE", "Too many pairings are open; revoke some or wait.");
    }
    const payload = draftPayload(input, this.#deps);
    const ttlMs = (input.ttlS ?? PAIRING_TTL_S) * 1_000;
    const createdAtMs = clock.now();
    const expiresAtMs = createdAtMs + ttlMs;
    const deadlineMs = clock.monotonic() + ttlMs;
    this.#open += 1;
    try {
      return await this.#deposit(input, { payload, expiresAtMs, deadlineMs }, createdAtMs);
    } catch (error) {
      this.#open -= 1;
      throw error;
    }
  }

  /** All pairings that are open or ended lately, in order of creation. */
  list(): Pairing[] {
    return [...this.#entries.values()].map(({ pairing }) => pairing.view());
  }

  /** One pairing, or undefined when it is unknown or ended long ago. */
  get(id: PairingId): Pairing | undefined {
    return this.#entries.get(id)?.pairing.view();
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
    const count = this.openOf(credentialId, secrets);
    for (const entry of this.#entries.values()) {
      if (entry.pairing.isOf(credentialId, secrets)) this.#end(entry, "revoked");
    }
    return count;
  }

  /** How many pairings of a credential are open; with `secrets`: would hand out one of them. */
  openOf(credentialId: AuthId, secrets?: ReadonlySet<SecretId>): number {
    const open = [...this.#entries.values()].filter(
      ({ pairing }) => pairing.isActive && pairing.isOf(credentialId, secrets),
    );
    return open.length;
  }

  /** Forgets everything. */
  close(): void {
    this.#isClosed = true;
    for (const { timer } of this.#entries.values()) timer.cancel();
    this.#entries.clear();
  }

  async #deposit(
    { credentialId, uses }: PairingInput,
    draft: PairingDraft,
    createdAtMs: number,
  ): Promise<NewPairing> {
    const { credentials, target } = this.#deps;
    const until = draft.expiresAtMs + SECRET_MARGIN_MS;
    const minted = await credentials.mintForPairing(credentialId, uses, until);
    const secretIds = minted.map(({ secretId }) => secretId);
    const deposited = await target.deposit(draft, minted);
    const { id, expiresAtMs } = deposited;
    try {
      // Whoever deleted the credential meanwhile has ended the pairings that were listed by then.
      credentials.requireUsable(credentialId, secretIds);
    } catch (error) {
      this.#withdraw(id);
      throw error;
    }
    const pairing = new ListedPairing({ id, credentialId, secretIds, createdAtMs, expiresAtMs });
    this.#keep(pairing, draft.deadlineMs);
    return answerOf(pairing, deposited, draft);
  }

  #keep(pairing: ListedPairing, deadlineMs: number): void {
    const { clock, touch } = this.#deps;
    const ttlMs = deadlineMs - clock.monotonic();
    const entry: Entry = { pairing, timer: clock.after(ttlMs, () => this.#expire(entry)) };
    this.#entries.set(pairing.id, entry);
    touch("pairing", pairing.id);
  }

  #onClaimed(id: PairingId, claim: PairingClaim): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    const { clock, log, touch, events } = this.#deps;
    const { pairing } = entry;
    pairing.claimed(claim, clock.now());
    const { clientId: client, address } = claim;
    log.info("pairing claimed", { pairing: id, client, address });
    events?.claimed(pairing.view(), claim);
    touch("pairing", id);
    if (pairing.isActive) return;
    this.#open -= 1;
    this.#forgetLater(entry);
  }

  #onRefused(id: PairingId | undefined, address: string): void {
    const entry = id === undefined ? undefined : this.#entries.get(id);
    this.#deps.events?.claimFailed(entry?.pairing.view(), address);
  }

  #onGuessed(id: PairingId): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    const { credentials, log, events } = this.#deps;
    events?.ended(entry.pairing.view(), "guessed");
    log.warn("pairing destroyed after too many wrong proofs", { pairing: id });
    credentials.revokeSecrets(this.#end(entry, "revoked")).catch((error: unknown) => {
      log.error("pairing: secrets could not be revoked", { reason: errorText(error) });
    });
  }

  #expire(entry: Entry): void {
    this.#deps.events?.ended(entry.pairing.view(), "expired");
    this.#end(entry, "expired");
  }

  #end(entry: Entry, state: "expired" | "revoked"): readonly SecretId[] {
    const { pairing } = entry;
    const wasOpen = pairing.isActive;
    const unclaimed = pairing.end(state);
    this.#withdraw(pairing.id);
    if (!wasOpen) return unclaimed;
    this.#open -= 1;
    this.#forgetLater(entry);
    this.#deps.touch("pairing", pairing.id);
    return unclaimed;
  }

  /** Its secrets are revoked, or die by themselves, also where this fails. */
  #withdraw(id: PairingId): void {
    const { target, log } = this.#deps;
    target.revoke(id).catch((error: unknown) => {
      log.warn("pairing: the target could not be told", { pairing: id, reason: errorText(error) });
    });
  }

  #forgetLater(entry: Entry): void {
    entry.timer.cancel();
    entry.timer = this.#deps.clock.after(LISTED_AFTER_END_MS, () => {
      this.#entries.delete(entry.pairing.id);
      this.#deps.touch("pairing", entry.pairing.id);
    });
  }
}

/** The one answer that contains the token. */
function answerOf(
  pairing: ListedPairing,
  { token, scriptUrl, scriptSha256, commands }: Deposited,
  { payload }: PairingDraft,
): NewPairing {
  return {
    pairing: pairing.view(),
    token,
    server_url: payload.server_urls[0] ?? "",
    script_url: scriptUrl,
    script_sha256: scriptSha256,
    commands,
  };
}
