import { scriptUrl } from "@rport/protocol/commands";
import { RportError } from "@rport/protocol/errors";
import type { PairingId } from "@rport/protocol/ids";
import { type ClaimAnswer, type ClaimRequest, PAIRING_REFUSED } from "@rport/protocol/pairing";
import { newPairingToken, seal, tokenParts } from "@rport/protocol/sealing";
import { type Clock, type Timer, toTime } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { pairingCommands } from "./commands.ts";
import { type ClaimOutcome, Deposit, REPEAT_MS } from "./deposit.ts";
import { FailureLimit } from "./failures.ts";
import type {
  Deposited,
  PairingDraft,
  PairingTarget,
  PairingWatcher,
  PlainSecret,
} from "./target.ts";

/** What the target needs. */
export interface EmbeddedTargetDeps {
  /** SHA-256 of the installer script at the moment, 64 hexadecimal digits. */
  readonly scriptSha256: () => string;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Pairings that this server hands out by itself, in memory only: a restart ends them all, and no disk
 * ever holds one. It keeps envelopes that it cannot open; the token that opens them is in the answer
 * of `deposit` and nowhere else.
 */
export class EmbeddedTarget implements PairingTarget {
  readonly #deps: EmbeddedTargetDeps;
  readonly #deposits = new Map<PairingId, Deposit>();
  /** Ends the repeats of deposits that are used up. */
  readonly #timers = new Map<PairingId, Timer>();
  readonly #failures: FailureLimit;
  #watcher: PairingWatcher | undefined;

  constructor(deps: EmbeddedTargetDeps) {
    this.#deps = deps;
    this.#failures = new FailureLimit(deps.clock);
  }

  watch(watcher: PairingWatcher): void {
    this.#watcher = watcher;
  }

  async deposit(draft: PairingDraft, secrets: readonly PlainSecret[]): Promise<Deposited> {
    const { payload, expiresAtMs, deadlineMs } = draft;
    const token = newPairingToken();
    const parts = tokenParts(token);
    const { id, claimKey } = parts;
    const expires = toTime(expiresAtMs);
    const uses = secrets.map(({ secretId, secret }) => ({
      secretId,
      sealed: seal(parts, { ...payload, secret }, expires),
    }));
    this.#deposits.set(id, new Deposit({ id, claimKey, uses, deadlineMs }));
    const url = payload.server_urls[0] ?? "";
    const sha256 = this.#deps.scriptSha256();
    return {
      id,
      token,
      scriptUrl: scriptUrl(url, id),
      scriptSha256: sha256,
      commands: pairingCommands({ url, id, sha256, token }),
      expiresAtMs,
    };
  }

  async revoke(id: PairingId): Promise<void> {
    this.#forget(id);
  }

  /**
   * Hands a use over to an installer that proves to know the token. Every refusal is the same
   * `PAIRING_NOT_FOUND`, whatever its reason; too many from one address: `TOO_MANY_REQUESTS`,
   * unless many may share that address: then nobody waits for what others did.
   */
  claim(request: ClaimRequest, address: string, isShared = false): ClaimAnswer {
    if (!isShared && this.#failures.isExhausted(address)) {
      this.#watcher?.onRefused(undefined, address);
      throw new RportError("TOO_MANY_REQUESTS", "Too many failed attempts; try again in a minute.");
    }
    const deposit = this.#deposits.get(request.id);
    const outcome = deposit?.claim(request, this.#deps.clock.monotonic()) ?? { kind: "refused" };
    if (outcome.kind === "repeated") return { envelope: outcome.envelope };
    if (outcome.kind === "handedOver") {
      const { client_id: clientId, hostname } = request;
      const { secretId, envelope } = outcome;
      if (deposit?.isUsedUp) this.#forgetLater(request.id);
      this.#watcher?.onClaimed(request.id, { secretId, clientId, hostname, address });
      return { envelope };
    }
    if (!isShared) this.#failures.count(address);
    this.#refused(request.id, outcome, address);
    throw new RportError("PAIRING_NOT_FOUND", PAIRING_REFUSED);
  }

  /** Forgets and overwrites everything. */
  close(): void {
    for (const id of [...this.#deposits.keys()]) this.#forget(id);
  }

  #refused(id: PairingId, outcome: ClaimOutcome, address: string): void {
    this.#watcher?.onRefused(id, address);
    if (outcome.kind !== "wrongProof") return;
    this.#deps.log.warn("pairing: wrong proof", { pairing: id, address });
    if (!outcome.isTooMany) return;
    this.#forget(id);
    this.#watcher?.onGuessed(id);
  }

  /** Its last claimant may have lost the answer and ask again. */
  #forgetLater(id: PairingId): void {
    this.#timers.set(
      id,
      this.#deps.clock.after(REPEAT_MS, () => this.#forget(id)),
    );
  }

  #forget(id: PairingId): void {
    this.#timers.get(id)?.cancel();
    this.#timers.delete(id);
    this.#deposits.get(id)?.wipe();
    this.#deposits.delete(id);
  }
}
