import type { ClientId } from "@rport/protocol/ids";
import type { RecordingEnd, RecordingId, RecordingState } from "@rport/protocol/terminal/recording";
import type { TerminalId } from "@rport/protocol/terminal/terminal";
import type { Limits } from "../limits/limits.ts";
import { UserBudget } from "../limits/userBudget.ts";
import type { Clock } from "../platform/clock.ts";
import { Bursts } from "./bursts.ts";
import type { Audit, AuditEntry } from "./entry.ts";

const HOUR_S = 3_600;

/** What entries about recordings are written with. */
export interface RecordingEventsDeps {
  readonly audit: Pick<Audit, "note">;
  readonly limits: Pick<Limits, "max" | "bite">;
  readonly clock: Clock;
}

/** A terminal that is to be recorded. */
export interface AuditedRecorded {
  readonly terminalId: TerminalId;
  readonly clientId: ClientId;
  readonly hostname: string;
  /** `Sharer.accountId` of whoever opened it. */
  readonly owner: string;
  readonly ownerName: string;
}

type What = Pick<AuditEntry, "action" | "affectedId" | "response">;

/** A recording that is on disk. */
export interface AuditedRecording {
  readonly id: RecordingId;
  /** Undefined: it cannot be read who recorded what. */
  readonly meta: AuditedRecorded | undefined;
  readonly bytes: number;
  readonly state: RecordingState;
  readonly last: { readonly end: RecordingEnd } | undefined;
}

/**
 * Writes down what becomes of recordings by itself. Ends and failures of the terminals of one user are limited,
 * as with streams, and beyond it counted in one entry a minute of each kind.
 */
export class RecordingEvents {
  readonly #audit: Pick<Audit, "note">;
  readonly #spent: UserBudget;
  readonly #beyond: Bursts;

  constructor({ audit, limits, clock }: RecordingEventsDeps) {
    this.#audit = audit;
    this.#spent = new UserBudget({ limits, clock }, "stream_entries_per_user", HOUR_S);
    this.#beyond = new Bursts({ audit, clock, max: 0 });
  }

  /** A recording is complete; by its length it is known again whether something was cut off of it. */
  finished({ id, meta, bytes, state, last }: AuditedRecording): void {
    const response = { bytes, state, how: last?.end.how };
    this.#note(meta, { action: "finish", affectedId: id, response });
  }

  /** A terminal could not be recorded, or not any more: it was ended, or not opened. */
  failed(terminal: AuditedRecorded, reason: string): void {
    const { terminalId: affectedId } = terminal;
    this.#note(terminal, { action: "failed", affectedId, response: { reason } });
  }

  /**
   * One had to go for a limit: written in any case, since whoever has others go may want nobody to see which.
   * How many go for the room of one user is limited where they go; those that are too old, or too many for a limit
   * that was lowered, go for nobody.
   */
  expired({ id, meta, bytes }: AuditedRecording, limit: string): void {
    const response = { bytes, limit };
    this.#audit.note(entryOf(meta, { action: "expire", affectedId: id, response }));
  }

  /** Writes all that was only counted so far. */
  close(): void {
    this.#beyond.close();
  }

  #note(terminal: AuditedRecorded | undefined, what: What): void {
    const { owner = "", ownerName = "" } = terminal ?? {};
    const entry = entryOf(terminal, what);
    const spent = this.#spent.spend({ accountId: owner, name: ownerName });
    if (spent === 0) this.#audit.note(entry);
    else this.#beyond.note(`${what.action} ${owner}`, entry);
  }
}

function entryOf(terminal: AuditedRecorded | undefined, what: What): AuditEntry {
  const { clientId, hostname: clientHostname, ownerName = "" } = terminal ?? {};
  const application = "client.terminal.recording";
  return { ...what, application, clientId, clientHostname, request: { owner: ownerName } };
}
