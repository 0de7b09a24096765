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
import type { LogBursts } from "../../platform/logBursts.ts";
import { Deposits } from "../deposits/deposits.ts";
import { bytesOf, DeskPlaces } from "./deskPlaces.ts";
import { Journal, type NewServiceStep } from "./journal.ts";
import { Questions } from "./questions.ts";
import { Scripts } from "./scripts.ts";

/** An answer has so many bytes of steps at the most; the rest is in the next one. */
const ANSWER_BYTES = 1 << 20;
/** What the steps of one deposit may take. */
const JOURNAL_BYTES = 64 << 10;
/** A deposit that ended is known for so long, so that its server learns of the last steps. */
const KNOWN_AFTER_END_MS = 15 * 60_000;

/** What the desk needs. */
export interface PairingDeskDeps {
  readonly limits: Pick<Limits, "max" | "bite" | "watch">;
  /** What of everything one depositor may have: between 0 and 1. */
  readonly share: number;
  readonly clock: Clock;
  readonly log: Log;
  /** Takes the lines that anybody can cause. */
  readonly strangers: Pick<LogBursts, "note">;
}

/** What one deposit is made of here. */
interface Entry {
  readonly journal: Journal;
  readonly scripts: DepositRequest["scripts"];
  isEnded: boolean;
  bytes: number;
  timer: Timer;
}

/** From where a server asks what has happened, and until when it listens. */
export interface Asking {
  readonly address: string;
  readonly signal: AbortSignal;
}

/**
 * A pairing service apart from servers: they deposit what it cannot open, hosts claim it, and servers
 * learn what has happened. All in memory.
 */
export class PairingDesk {
  /** Where installers claim and report. */
  readonly deposits: Deposits;
  /** The installer scripts that servers brought. */
  readonly scripts: Scripts;
  readonly #deps: PairingDeskDeps;
  readonly #entries = new Map<PairingId, Entry>();
  readonly #places: DeskPlaces;
  readonly #questions: Questions;

  constructor(deps: PairingDeskDeps) {
    const { clock, log, limits, share } = deps;
    this.#deps = deps;
    this.#places = new DeskPlaces({ limits, share, placed: () => this.#entries.values() });
    this.scripts = new Scripts({ limits, share, named: () => this.#named() });
    this.#questions = new Questions({ limits, clock });
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
   * is then named in `detail`, and `UNAVAILABLE` when there is no place. A deposit that takes the place
   * of one stays in the share of whoever made that: a server whose address changes is still known by
   * its key, and from a second network there is no second share for what the first one has.
   */
  deposit(id: PairingId, request: DepositRequest, depositor: string): void {
    const { clock, log } = this.#deps;
    const watchKey = Buffer.from(request.watch_key, "base64url");
    const known = this.#entries.get(id);
    if (known !== undefined && !known.journal.isWatchedBy(watchKey)) {
      throw new RportError("CONFLICT", "There is another deposit under this id.");
    }
    this.#requireScripts(request.scripts);
    const bytes = bytesOf(request);
    const journal = known?.journal ?? new Journal(depositor, watchKey);
    this.#places.require(journal.depositor, bytes, known);
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
      // its server goes on counting where it was
      journal,
      scripts: request.scripts,
      isEnded: false,
      bytes,
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

  /**
   * What has happened; waits for news until `signal` fires or a while is over. Rejects with
   * `TOO_MANY_REQUESTS` when too many wait.
   */
  async steps({ deposits }: StepsRequest, { address, signal }: Asking): Promise<StepsAnswer> {
    const found = this.#newsOf(deposits);
    const isNews = found.some(({ is_known: isKnown, steps }) => !isKnown || steps.length > 0);
    if (isNews) return { deposits: found };
    const ids = deposits.map(({ id }) => id);
    await this.#questions.wait(ids, { address, withinMs: STEPS_WAIT_MS, signal });
    return { deposits: this.#newsOf(deposits) };
  }

  /** Forgets and overwrites everything. */
  close(): void {
    for (const { timer } of this.#entries.values()) timer.cancel();
    this.#entries.clear();
    this.deposits.close();
    this.#questions.close();
  }

  #newsOf(asked: StepsRequest["deposits"]): StepsAnswer["deposits"] {
    let left = ANSWER_BYTES;
    return asked.map(({ id, watch_key: key, after }) => {
      const journal = this.#entries.get(id)?.journal;
      if (journal?.isWatchedBy(Buffer.from(key, "base64url")) !== true) {
        return { id, is_known: false, steps: [] };
      }
      const steps = [...journal.after(after, left)];
      if (steps.length > 0) left -= Buffer.byteLength(JSON.stringify(steps));
      return { id, is_known: true, steps };
    });
  }

  #note(id: PairingId | undefined, step: NewServiceStep): void {
    const entry = id === undefined ? undefined : this.#entries.get(id);
    if (id === undefined || entry === undefined) return;
    const { journal } = entry;
    const left = journal.bytes + this.#places.leftFor(journal.depositor);
    journal.add(step, Math.min(JOURNAL_BYTES, left));
    const { kind, address } = step;
    const { log, strangers } = this.#deps;
    const fields = { pairing: id, kind, address };
    strangers.note({ level: "info", message: `pairing ${kind}`, log, address, fields });
    this.#questions.wake(id);
  }

  #end(id: PairingId): void {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.isEnded) return;
    entry.isEnded = true;
    entry.bytes = 0;
    this.deposits.end(id);
    entry.timer.cancel();
    entry.timer = this.#deps.clock.after(KNOWN_AFTER_END_MS, () => this.#entries.delete(id));
  }

  *#named(): Generator<string | undefined> {
    for (const { isEnded, scripts } of this.#entries.values()) {
      if (isEnded) continue;
      yield scripts.sh;
      yield scripts.ps1;
    }
  }

  #requireScripts({ sh, ps1 }: DepositRequest["scripts"]): void {
    for (const sha256 of [sh, ps1]) {
      if (sha256 === undefined || this.scripts.get(sha256) !== undefined) continue;
      const title = "This pairing service does not have the installer script yet.";
      throw new RportError("CONFLICT", title, { detail: sha256 });
    }
  }
}
