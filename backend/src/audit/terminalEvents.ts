import type { ClientId } from "@rport/protocol/ids";
import type { TerminalEnd, TerminalId } from "@rport/protocol/terminal/terminal";
import type { Limits } from "../limits/limits.ts";
import type { Sharer } from "../limits/sharer.ts";
import { UserBudget } from "../limits/userBudget.ts";
import { type Clock, toTime } from "../platform/clock.ts";
import { Bursts } from "./bursts.ts";
import type { Audit, AuditEntry } from "./entry.ts";

const HOUR_S = 3_600;

/** What entries about terminals are written with. */
export interface TerminalEventsDeps {
  readonly audit: Pick<Audit, "note">;
  readonly limits: Pick<Limits, "max" | "bite">;
  readonly clock: Clock;
}

/** A terminal, and who has to do with it. */
export interface AuditedTerminal {
  readonly id: TerminalId;
  readonly clientId: ClientId;
  readonly hostname: string | undefined;
  readonly user: Sharer;
  /** Undefined: not known any more. */
  readonly address: string | undefined;
  /** The account of the host; undefined: the host was not asked. */
  readonly account: string | undefined;
  /** Whether what it shows is recorded. */
  readonly isRecorded: boolean;
}

/** How a terminal ended. */
export interface AuditedEnd {
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly end: TerminalEnd;
  /** Nobody said so: its host has been away for longer than terminals are kept. */
  readonly isPresumed?: boolean;
}

/**
 * Writes down who had a terminal where, as which account of the host, from when to when, and how it
 * ended. What one user may have written is limited, as with streams, and beyond it counted in one entry
 * a minute of each kind.
 */
export class TerminalEvents {
  readonly #audit: Pick<Audit, "note">;
  readonly #spent: UserBudget;
  readonly #beyond: Bursts;

  constructor({ audit, limits, clock }: TerminalEventsDeps) {
    this.#audit = audit;
    this.#spent = new UserBudget({ limits, clock }, "stream_entries_per_user", HOUR_S);
    this.#beyond = new Bursts({ audit, clock, max: 0 });
  }

  /** A terminal was begun. */
  opened(terminal: AuditedTerminal): void {
    this.#note("open", terminal);
  }

  /** Its owner came back to it. */
  resumed(terminal: AuditedTerminal): void {
    this.#note("resume", terminal);
  }

  /** It could not be begun or gone on with. */
  failed(terminal: AuditedTerminal, reason: string): void {
    this.#note("failed", terminal, { reason });
  }

  /** It has ended. */
  ended(terminal: AuditedTerminal, { startedAtMs, endedAtMs, end, isPresumed }: AuditedEnd): void {
    const { how, code, signal, text } = end;
    this.#note("end", terminal, {
      from: toTime(startedAtMs),
      to: toTime(endedAtMs),
      how,
      code,
      signal,
      text,
      presumed: isPresumed === true ? true : undefined,
    });
  }

  /** Writes all that was only counted so far. */
  close(): void {
    this.#beyond.close();
  }

  #note(
    action: AuditEntry["action"],
    { id, clientId, hostname, user, address, account, isRecorded }: AuditedTerminal,
    response?: AuditEntry["response"],
  ): void {
    const entry: AuditEntry = {
      application: "client.terminal",
      action,
      user: user.name,
      remoteIp: address,
      affectedId: id,
      clientId,
      clientHostname: hostname,
      request: { account, recorded: isRecorded || undefined },
      response,
    };
    if (this.#spent.spend(user) === 0) this.#audit.note(entry);
    else this.#beyond.note(`${action} ${user.accountId}`, entry);
  }
}
