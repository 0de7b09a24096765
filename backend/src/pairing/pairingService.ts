import { RportError } from "@rport/protocol/errors";
import type { AuthId, PairingId, SecretId } from "@rport/protocol/ids";
import { PAIRING_TTL_S } from "@rport/protocol/pairing";
import type { NewPairing } from "@rport/protocol/pairing/endpoints";
import type { PairingEvents } from "../audit/pairingEvents.ts";
import type { Limits } from "../limits/limits.ts";
import type { Clock } from "../platform/clock.ts";
import { errorText, type Log } from "../platform/log.ts";
import type { OtherHost, ToldReport } from "./deposits/deposits.ts";
import { ListedPairing } from "./listedPairing.ts";
import type { Pairings } from "./pairings.ts";
import { draftPayload, type PairingInput, type PairingServer } from "./payloadDraft.ts";
import type { Deposited, PairingDraft, PairingTarget, PlainSecret } from "./targets/target.ts";
import type { Targets } from "./targets/targets.ts";

/** A claimed secret outlives its pairing by this, so that a claim in the last second still works. */
const SECRET_MARGIN_MS = 60_000;

/** What pairings need of the credentials. */
export interface PairingSecrets {
  /** Fresh secrets that stop working at `expiresAt` (ms since the epoch) unless used before. */
  mintForPairing(id: AuthId, count: number, expiresAt: number): Promise<readonly PlainSecret[]>;
  /** Throws unless all of these still open the credential. */
  requireUsable(id: AuthId, ids: readonly SecretId[]): void;
  revokeSecrets(ids: readonly SecretId[]): Promise<void>;
}

/** What the service needs. */
export interface PairingServiceDeps extends PairingServer {
  readonly credentials: PairingSecrets;
  readonly targets: Targets;
  readonly pairings: Pairings;
  readonly limits: Pick<Limits, "max" | "bite" | "watch">;
  readonly clock: Clock;
  readonly log: Log;
  /** Writes down claims and ends. */
  readonly events: PairingEvents;
}

/**
 * Opens pairings and ends them: secrets are minted here and lie with the target until a host comes
 * for them.
 */
export class PairingService {
  readonly #deps: PairingServiceDeps;
  #opening = 0;
  #isClosed = false;

  constructor(deps: PairingServiceDeps) {
    const { targets, pairings } = deps;
    this.#deps = deps;
    deps.limits.watch("pairings", () => pairings.openCount);
    targets.watch({
      onClaimed: (id, claim) => pairings.claimed(id, claim),
      onFetched: (id, address) => this.#onFetched(id, address),
      onRefused: (id, address, why) => this.#onRefused(id, address, why),
      onReported: (id, report, address) => this.#onReported(id, report, address),
      onGuessed: (id) => this.#onGuessed(id),
    });
  }

  /**
   * Opens a pairing. Throws what minting, `requireUsable` and the target throw, and `UNAVAILABLE` when
   * too many are open.
   */
  async create(input: PairingInput): Promise<NewPairing> {
    const { clock } = this.#deps;
    this.#requirePlace();
    const payload = draftPayload(input, this.#deps);
    const ttlMs = (input.ttlS ?? PAIRING_TTL_S) * 1_000;
    const createdAtMs = clock.now();
    const expiresAtMs = createdAtMs + ttlMs;
    const deadlineMs = clock.monotonic() + ttlMs;
    this.#opening += 1;
    try {
      const { hostname } = input;
      const draft = { payload, hostname, expiresAtMs, deadlineMs };
      return await this.#deposit(input, draft, createdAtMs);
    } finally {
      this.#opening -= 1;
    }
  }

  /** Ends a pairing and revokes what nobody claimed. Throws `PAIRING_NOT_FOUND` when unknown. */
  async revoke(id: PairingId): Promise<void> {
    const unclaimed = this.#deps.pairings.end(id);
    if (unclaimed === undefined) {
      throw new RportError("PAIRING_NOT_FOUND", "There is no such pairing.");
    }
    if (unclaimed.length > 0) await this.#deps.credentials.revokeSecrets(unclaimed);
  }

  /** Ends those that a user made and that could still be used; answers how many there were. */
  async revokeBy(maker: string): Promise<number> {
    const { pairings, credentials } = this.#deps;
    const ids = pairings.openBy(maker);
    const unclaimed = ids.flatMap((id) => pairings.end(id) ?? []);
    if (unclaimed.length > 0) await credentials.revokeSecrets(unclaimed);
    return ids.length;
  }

  /** Opens no more. */
  close(): void {
    this.#isClosed = true;
  }

  #requirePlace(): void {
    const { limits, pairings } = this.#deps;
    const isFull = this.#opening + pairings.openCount >= limits.max("pairings");
    if (isFull) limits.bite("pairings", {});
    if (!isFull && !this.#isClosed) return;
    throw new RportError("UNAVAILABLE", "Too many pairings are open; revoke some or wait.");
  }

  async #deposit(
    { credentialId, uses, service: name, maker = () => undefined }: PairingInput,
    draft: PairingDraft,
    createdAtMs: number,
  ): Promise<NewPairing> {
    const { credentials, targets, pairings, clock } = this.#deps;
    const target = targets.of(name);
    const until = draft.expiresAtMs + SECRET_MARGIN_MS;
    const minted = await credentials.mintForPairing(credentialId, uses, until);
    const secretIds = minted.map(({ secretId }) => secretId);
    const deposited = await this.#offer(target, draft, minted);
    const { id, expiresAtMs } = deposited;
    try {
      // Whoever deleted the credential meanwhile has ended the pairings that were listed by then.
      credentials.requireUsable(credentialId, secretIds);
    } catch (error) {
      pairings.withdraw(id);
      throw error;
    }
    const { hostname } = draft;
    const service = target.view;
    const times = { createdAtMs, expiresAtMs };
    const facts = { id, credentialId, secretIds, hostname, service, maker, ...times };
    const pairing = new ListedPairing(facts);
    const leftMs = expiresAtMs - clock.now();
    pairings.add(pairing, Math.min(draft.deadlineMs, clock.monotonic() + leftMs));
    return answerOf(pairing, deposited, draft);
  }

  /** Secrets that nobody can get are of no use to anybody but whoever finds them. */
  async #offer(
    target: PairingTarget,
    draft: PairingDraft,
    minted: readonly PlainSecret[],
  ): Promise<Deposited> {
    try {
      return await target.deposit(draft, minted);
    } catch (error) {
      await this.#deps.credentials.revokeSecrets(minted.map(({ secretId }) => secretId));
      throw error;
    }
  }

  #onFetched(id: PairingId, address: string): void {
    const { pairings, events } = this.#deps;
    events.fetched(id, address);
    pairings.step(id, { kind: "script_fetched", address });
  }

  #onRefused(id: PairingId | undefined, address: string, why: OtherHost | undefined): void {
    const { pairings, events } = this.#deps;
    events.claimFailed(id === undefined ? undefined : pairings.get(id), address);
    if (id === undefined || why === undefined) return;
    const { hostname } = why;
    const text = "The pairing is for another host.";
    pairings.step(id, { kind: "refused", address, hostname, reason: "identifier_mismatch", text });
  }

  #onReported(id: PairingId, report: ToldReport, address: string): void {
    const { kind, client_id, hostname, step: reason, text } = report;
    const { pairings, log } = this.#deps;
    if (kind === "failed")
      log.warn("an installation failed", { pairing: id, address, step: reason });
    pairings.step(id, { kind, client_id, hostname, address, reason, text });
  }

  #onGuessed(id: PairingId): void {
    const { credentials, pairings, log, events } = this.#deps;
    const guessed = pairings.get(id);
    if (guessed === undefined) return;
    events.ended(guessed, "guessed");
    log.warn("pairing destroyed after too many wrong proofs", { pairing: id });
    credentials.revokeSecrets(pairings.end(id) ?? []).catch((error: unknown) => {
      log.error("pairing: secrets could not be revoked", { reason: errorText(error) });
    });
  }
}

/** The one answer that contains the token. */
function answerOf(
  pairing: ListedPairing,
  { token, scriptUrl, scriptSha256, commands, tlsPin }: Deposited,
  { payload }: PairingDraft,
): NewPairing {
  return {
    pairing: pairing.view(),
    token: token ?? "",
    server_url: payload.server_urls[0] ?? "",
    script_url: scriptUrl,
    script_sha256: scriptSha256,
    tls_pin: payload.server_urls[0]?.startsWith("https:") ? tlsPin : undefined,
    commands,
  };
}
