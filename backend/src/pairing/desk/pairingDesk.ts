import { RportError } from "@rport/protocol/errors";
import type { PairingId } from "@rport/protocol/ids";
import {
  type DepositRequest,
  STEPS_WAIT_MS,
  type StepsAnswer,
  type StepsRequest,
} from "@rport/protocol/pairing/service";
import type { Limits } from "../../limits/limits.ts";
import type { Clock, Timer } from "../../platform/clock.ts";
import type { Log } from "../../platform/log.ts";
import { Deposits } from "../deposits/deposits.ts";
import { Journal, type NewServiceStep } from "./journal.ts";
import { Scripts } from "./scripts.ts";

/** What of all places one server may have. */
const SHARE = 1 / 4;
/** How many times as many are known as may be open. */
const ENDED_TOO = 4;
/** A deposit that ended is known for so long, so that its server learns of the last steps. */
const KNOWN_AFTER_END_MS = 15 * 60_000;

/** What the desk needs. */
export interface PairingDeskDeps {
  readonly limits: Pick<Limits, "max" | "bite" | "watch">;
  readonly clock: Clock;
  readonly log: Log;
}

/** What one deposit is made of here. */
interface Entry {
  readonly journal: Journal;
  readonly scripts: DepositRequest["scripts"];
  isEnded: boolean;
  timer: Timer;
}

/**
 * A pairing service apart from servers: they deposit what it cannot open, hosts claim it, and servers
 * learn what has happened. All in memory.
 */
export class PairingDesk {
  /** Where installers claim and report. */
  readonly deposits: Deposits;
  /** The installer scripts that servers brought. */
  readonly scripts = new Scripts();
  readonly #deps: PairingDeskDeps;
  readonly #entries = new Map<PairingId, Entry>();
  readonly #waiting = new Set<() => void>();

  constructor(deps: PairingDeskDeps) {
    const { clock, log, limits } = deps;
    this.#deps = deps;
    limits.watch("pairings", () => this.#open.length);
    this.deposits = new Deposits({
      clock,
      log,
      watcher: {
        onFetched: (id, address) => this.#note(id, { kind: "fetched", address }),
        onClaimed: (id, { useId: use, clientId, hostname, address }) =>
          this.#note(id, { kind: "claimed", use, client_id: clientId, hostname, address }),
        onRefused: (id, address, why) =>
          this.#note(id, { kind: "refused", address, hostname: why?.hostname ?? null }),
        onReported: (id, { kind: report, client_id, hostname, step, text }, address) =>
          this.#note(id, { kind: "reported", address, report, client_id, hostname, step, text }),
        onGuessed: (id) => this.#note(id, { kind: "guessed", address: "" }),
      },
    });
  }

  /**
   * Takes a deposit. Throws `CONFLICT` when the id is another one's or a script is missing, which
   * is then named in `detail`, and `UNAVAILABLE` when there is no place.
   */
  deposit(id: PairingId, request: DepositRequest, depositor: string): void {
    const { clock, log } = this.#deps;
    const watchKey = Buffer.from(request.watch_key, "base64url");
    const known = this.#entries.get(id);
    if (known !== undefined && !known.journal.isWatchedBy(watchKey)) {
      throw new RportError("CONFLICT", "There is another deposit under this id.");
    }
    this.#requireScripts(request.scripts);
    if (known === undefined) this.#requirePlace(depositor);
    const ttlMs = request.expires_in * 1_000;
    known?.timer.cancel();
    this.deposits.add({
      id,
      claimKey: Buffer.from(request.claim_key, "base64url"),
      uses: request.uses.map(({ use, envelope }) => ({ useId: use, sealed: envelope })),
      hostname: request.hostname,
      deadlineMs: clock.monotonic() + ttlMs,
    });
    this.#entries.set(id, {
      journal: new Journal(depositor, watchKey),
      scripts: request.scripts,
      isEnded: false,
      timer: clock.after(ttlMs, () => this.#end(id)),
    });
    log.info("deposited", { pairing: id, depositor });
  }

  /** Takes a deposit back; one that is unknown, or another one's, is nothing. */
  withdraw(id: PairingId, watchKey: Buffer): void {
    if (this.#entries.get(id)?.journal.isWatchedBy(watchKey)) this.#end(id);
  }

  /** The script of a deposit, and that somebody at this address fetched it. */
  script(id: PairingId, kind: "sh" | "ps1", address: string): Buffer | undefined {
    const sha256 = this.#entries.get(id)?.scripts[kind];
    if (sha256 === undefined) return undefined;
    this.deposits.fetched(id, address);
    return this.scripts.get(sha256);
  }

  /** What has happened; waits for news until `signal` fires or a while is over. */
  async steps({ deposits }: StepsRequest, signal: AbortSignal): Promise<StepsAnswer> {
    const news = (): StepsAnswer => ({ deposits: deposits.map((asked) => this.#newsOf(asked)) });
    const isNews = ({ deposits: all }: StepsAnswer): boolean =>
      all.some(({ is_known: isKnown, steps }) => !isKnown || steps.length > 0);
    const end = this.#deps.clock.monotonic() + STEPS_WAIT_MS;
    for (;;) {
      const found = news();
      const leftMs = end - this.#deps.clock.monotonic();
      if (isNews(found) || leftMs <= 0 || signal.aborted) return found;
      await this.#somethingNew(leftMs, signal);
    }
  }

  /** Forgets and overwrites everything. */
  close(): void {
    for (const { timer } of this.#entries.values()) timer.cancel();
    this.#entries.clear();
    this.deposits.close();
    this.#tell();
  }

  get #open(): readonly Entry[] {
    return [...this.#entries.values()].filter(({ isEnded }) => !isEnded);
  }

  #newsOf({ id, watch_key: key, after }: StepsRequest["deposits"][number]) {
    const journal = this.#entries.get(id)?.journal;
    const isKnown = journal?.isWatchedBy(Buffer.from(key, "base64url")) === true;
    return { id, is_known: isKnown, steps: isKnown ? (journal?.after(after) ?? []) : [] };
  }

  #somethingNew(withinMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        timer.cancel();
        this.#waiting.delete(done);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = this.#deps.clock.after(withinMs, done);
      this.#waiting.add(done);
      signal.addEventListener("abort", done);
    });
  }

  #note(id: PairingId | undefined, step: NewServiceStep): void {
    const entry = id === undefined ? undefined : this.#entries.get(id);
    if (entry === undefined) return;
    entry.journal.add(step);
    const { kind, address } = step;
    this.#deps.log.info("pairing", { pairing: id, kind, address });
    this.#tell();
  }

  #tell(): void {
    for (const done of [...this.#waiting]) done();
  }

  #end(id: PairingId): void {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.isEnded) return;
    entry.isEnded = true;
    this.deposits.end(id);
    entry.timer.cancel();
    entry.timer = this.#deps.clock.after(KNOWN_AFTER_END_MS, () => this.#entries.delete(id));
  }

  #requireScripts({ sh, ps1 }: DepositRequest["scripts"]): void {
    for (const sha256 of [sh, ps1]) {
      if (sha256 === undefined || this.scripts.get(sha256) !== undefined) continue;
      const title = "This pairing service does not have the installer script yet.";
      throw new RportError("CONFLICT", title, { detail: sha256 });
    }
  }

  #requirePlace(depositor: string): void {
    const { limits } = this.#deps;
    const max = limits.max("pairings");
    const open = this.#open;
    const own = open.filter(({ journal }) => journal.depositor === depositor).length;
    const hasPlace = open.length < max && this.#entries.size < max * ENDED_TOO;
    if (hasPlace && own < Math.max(1, max * SHARE)) return;
    limits.bite("pairings", { depositor });
    throw new RportError("UNAVAILABLE", "This pairing service has no place for more deposits now.");
  }
}
