import type { AuditAction, AuditApplication, AuditRow } from "@rport/protocol/audit";
import { unmapped } from "../platform/network.ts";
import { Redactor } from "../platform/redactor.ts";

/** Facts that somebody chose to record, one by one; never a whole request. Undefined: left out. */
export type Facts = Readonly<
  Record<string, string | number | boolean | null | readonly string[] | undefined>
>;

/** Something that happened: who did what to what, from where. What is left out does not apply. */
export interface AuditEntry {
  readonly application: AuditApplication;
  readonly action: AuditAction;
  /** The user whose token was shown. */
  readonly user?: string | undefined;
  /** The address it came from. */
  readonly remoteIp?: string | undefined;
  readonly affectedId?: string | undefined;
  readonly clientId?: string | undefined;
  readonly clientHostname?: string | undefined;
  readonly request?: Facts | undefined;
  readonly response?: Facts | undefined;
}

/** Writes down what happens. Never throws and never rejects: a full disk is counted and logged. */
export interface Audit {
  /** Resolves when the entry would survive a power cut, or is known to be lost. */
  record(entry: AuditEntry): Promise<void>;
  /** The same without waiting; entries keep the order of these calls. */
  note(entry: AuditEntry): void;
  /** Resolves when everything noted so far is on disk, or known to be lost. */
  settled(): Promise<void>;
  /**
   * To be awaited before something is granted (not before something is taken away): fails with
   * `DISK_FULL` or `UNAVAILABLE` while entries cannot be written.
   */
  ready(): Promise<void>;
}

/** Longest text in an entry, in UTF-16 units; longer ones are cut. */
const TEXT_MAX = 1_000;
/** Most elements of a list in an entry; of a longer one, `<name>_total` says how many there are. */
const LIST_MAX = 64;

/** The content of a line of the log, in the order of its members; `prev` has to be the last. */
export interface AuditBody {
  readonly seq: number;
  /** RFC 3339 in UTC. */
  readonly at: string;
  readonly user: string;
  readonly remote_ip: string;
  readonly application: string;
  readonly action: string;
  readonly affected_id: string;
  readonly client_id: string;
  readonly client_hostname: string;
  readonly request: Readonly<Record<string, unknown>>;
  readonly response: Readonly<Record<string, unknown>>;
  /**
   * The number of the last commit of the records that was durable when this was written: records
   * that end before it have lost changes. Entries of earlier versions do not have it.
   */
  readonly commit?: number | undefined;
  /** The hash of the entry before, 64 hexadecimal digits. */
  readonly prev: string;
}

const redactor = new Redactor();

/** The entry as it is written: every text cut to a length, facts cleared of shapes of secrets. */
export function bodyOf(
  entry: AuditEntry,
  place: Pick<AuditBody, "seq" | "at" | "commit" | "prev">,
): AuditBody {
  return {
    seq: place.seq,
    at: place.at,
    user: cut(entry.user ?? ""),
    remote_ip: cut(unmapped(entry.remoteIp ?? "")),
    application: entry.application,
    action: entry.action,
    affected_id: cut(entry.affectedId ?? ""),
    client_id: cut(entry.clientId ?? ""),
    client_hostname: cut(entry.clientHostname ?? ""),
    request: clear(entry.request),
    response: clear(entry.response),
    commit: place.commit,
    prev: place.prev,
  };
}

/** The entry in RPort's row. */
export function rowOf(body: AuditBody): AuditRow {
  return {
    timestamp: body.at,
    username: body.user,
    remote_ip: body.remote_ip,
    application: body.application,
    action: body.action,
    affected_id: body.affected_id,
    client_id: body.client_id,
    client_hostname: body.client_hostname,
    request: JSON.stringify(body.request),
    response: JSON.stringify(body.response),
    seq: body.seq,
  };
}

function clear(given: Facts = {}): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    if (typeof value === "string") kept[name] = redactor.field(name, cut(value));
    else if (Array.isArray(value)) {
      kept[name] = value.slice(0, LIST_MAX).map(clearText);
      if (value.length > LIST_MAX) kept[`${name}_total`] = value.length;
    } else if (value !== undefined) kept[name] = value;
  }
  return kept;
}

function clearText(text: string): string {
  return redactor.text(cut(text));
}

/** Well-formed, so that what is read back equals what was written. */
function cut(text: string): string {
  return text.slice(0, TEXT_MAX).toWellFormed();
}
