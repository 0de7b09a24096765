import { RportError } from "@rport/protocol/errors";
import type { ClientId, PairingId } from "@rport/protocol/ids";
import { type ClaimAnswer, type ClaimRequest, PAIRING_REFUSED } from "@rport/protocol/pairing";
import type { PairingReport } from "@rport/protocol/pairing/report";
import type { Clock, Timer } from "../../platform/clock.ts";
import type { Log } from "../../platform/log.ts";
import { type ClaimOutcome, Deposit, type DepositDeps, REPEAT_MS } from "./deposit.ts";
import { FailureLimit } from "./failures.ts";

/** A host that came for its use. What it says about itself is not proven by anything. */
export interface DepositClaim {
  readonly useId: string;
  readonly clientId: ClientId;
  readonly hostname: string;
  readonly address: string;
}

/** Why somebody got nothing, where they may know: the host is another one than the pairing is for. */
export interface OtherHost {
  readonly hostname: string;
}

/** How an installation goes on, without what proves it. */
export type ToldReport = Omit<PairingReport, "id" | "claimant" | "proof">;

/** Is told what becomes of deposits. Ids may be unknown, or those of deposits that are gone. */
export interface DepositWatcher {
  /** Somebody fetched the installer script under the id of a deposit. */
  onFetched(id: PairingId, address: string): void;
  /** A host got one use; told once, however often it asks again. */
  onClaimed(id: PairingId, claim: DepositClaim): void;
  /** Somebody got nothing. Undefined: the address had tried too often to be heard. */
  onRefused(id: PairingId | undefined, address: string, why?: OtherHost): void;
  /** How an installation went on. */
  onReported(id: PairingId, report: ToldReport, address: string): void;
  /** Somebody guessed so often that the deposit was destroyed. */
  onGuessed(id: PairingId): void;
}

/** What the deposits need. */
export interface DepositsDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly watcher: DepositWatcher;
}

/** From where somebody asks. */
export interface DepositOrigin {
  readonly address: string;
  /** Others may have the same address, so nobody waits for what others did. */
  readonly isShared: boolean;
}

/** So long after the last claim an installer may still report. */
const REPORTS_MS = 10 * 60_000;

/**
 * What was deposited for hosts, in memory only: a restart ends it all, and no disk ever holds any of
 * it. Whoever asks is checked here, and told the same for every reason.
 */
export class Deposits {
  readonly #deps: DepositsDeps;
  readonly #deposits = new Map<PairingId, Deposit>();
  /** Ends what is left of those that are used up or ended. */
  readonly #timers = new Map<PairingId, Timer>();
  readonly #failures: FailureLimit;

  constructor(deps: DepositsDeps) {
    this.#deps = deps;
    this.#failures = new FailureLimit(deps.clock);
  }

  /** How many there are, those that only wait for reports among them. */
  get size(): number {
    return this.#deposits.size;
  }

  /** Whether there is something under an id. */
  has(id: PairingId): boolean {
    return this.#deposits.has(id);
  }

  /** Takes a deposit, in place of one of the same id. */
  add(deps: DepositDeps): void {
    this.#forget(deps.id);
    this.#deposits.set(deps.id, new Deposit(deps));
  }

  /** Somebody fetches the installer script under an id; unknown ones are nothing. */
  fetched(id: PairingId, address: string): void {
    if (this.#deposits.get(id)?.isUsedUp === false) this.#deps.watcher.onFetched(id, address);
  }

  /**
   * Hands a use over to an installer that proves to know the token. Every refusal is the same
   * `PAIRING_NOT_FOUND`, whatever its reason; but `IDENTIFIER_MISMATCH` where the token was right and
   * the host is not the one it is for, and `TOO_MANY_REQUESTS` after too many from one network.
   */
  async claim(request: ClaimRequest, origin: DepositOrigin): Promise<ClaimAnswer> {
    this.#requireHeard(origin);
    const deposit = this.#deposits.get(request.id);
    const outcome = deposit?.claim(request, this.#deps.clock.monotonic()) ?? { kind: "refused" };
    if (outcome.kind === "repeated") return { envelope: outcome.envelope };
    if (outcome.kind === "handedOver") return this.#handedOver(request, outcome, origin.address);
    if (outcome.kind === "otherHost") throw this.#otherHost(request, outcome.hostname, origin);
    return await this.#refuse(request.id, outcome, origin);
  }

  /** Hears how an installation goes on; answers whether it was believed. */
  async report(report: PairingReport, origin: DepositOrigin): Promise<boolean> {
    this.#requireHeard(origin);
    const isHeard = this.#deposits.get(report.id)?.hears(report) ?? false;
    if (isHeard) this.#deps.watcher.onReported(report.id, report, origin.address);
    else await this.#answerLate(origin);
    return isHeard;
  }

  /** Nothing of it can be claimed from now on; who has claimed may still report for a while. */
  end(id: PairingId): void {
    const deposit = this.#deposits.get(id);
    if (deposit === undefined) return;
    deposit.wipeUses();
    if (deposit.hasClaimants) this.#later(id, REPORTS_MS, () => this.#forget(id));
    else this.#forget(id);
  }

  /** Forgets and overwrites everything. */
  close(): void {
    for (const id of [...this.#deposits.keys()]) this.#forget(id);
  }

  #requireHeard({ address, isShared }: DepositOrigin): void {
    const waitMs = isShared ? 0 : this.#failures.waitMs(address);
    if (waitMs === 0) return;
    this.#deps.watcher.onRefused(undefined, address);
    const retryAfterS = Math.ceil(waitMs / 1_000);
    const title = "Too many failed attempts; try again in ten minutes.";
    throw new RportError("TOO_MANY_REQUESTS", title, { retryAfterS });
  }

  #handedOver(
    { id, client_id: clientId, hostname }: ClaimRequest,
    { useId, envelope }: Extract<ClaimOutcome, { kind: "handedOver" }>,
    address: string,
  ): ClaimAnswer {
    if (this.#deposits.get(id)?.isUsedUp) this.#later(id, REPEAT_MS, () => this.end(id));
    this.#deps.watcher.onClaimed(id, { useId, clientId, hostname, address });
    return { envelope };
  }

  #otherHost({ id, hostname }: ClaimRequest, expected: string, origin: DepositOrigin): RportError {
    this.#deps.watcher.onRefused(id, origin.address, { hostname });
    const title = `This pairing is for the host ${expected}, and this host is called ${hostname}.`;
    return new RportError("IDENTIFIER_MISMATCH", title);
  }

  async #refuse(id: PairingId, outcome: ClaimOutcome, origin: DepositOrigin): Promise<never> {
    const { watcher, log } = this.#deps;
    const { address } = origin;
    watcher.onRefused(id, address);
    if (outcome.kind === "wrongProof") {
      log.warn("pairing: wrong proof", { pairing: id, address });
      if (outcome.isTooMany) {
        this.#forget(id);
        watcher.onGuessed(id);
      }
    }
    await this.#answerLate(origin);
    throw new RportError("PAIRING_NOT_FOUND", PAIRING_REFUSED);
  }

  /** While all the world guesses, wrong answers are slow, and right ones are not. */
  async #answerLate({ address, isShared }: DepositOrigin): Promise<void> {
    const { clock, log } = this.#deps;
    const { delayMs, isFlood } = this.#failures.count(isShared ? undefined : address);
    if (isFlood) log.warn("pairing: more failed attempts than usual; each is answered late now");
    if (delayMs > 0) await new Promise<void>((resolve) => clock.after(delayMs, resolve));
  }

  #later(id: PairingId, delayMs: number, run: () => void): void {
    this.#timers.get(id)?.cancel();
    this.#timers.set(id, this.#deps.clock.after(delayMs, run));
  }

  #forget(id: PairingId): void {
    this.#timers.get(id)?.cancel();
    this.#timers.delete(id);
    this.#deposits.get(id)?.wipe();
    this.#deposits.delete(id);
  }
}
