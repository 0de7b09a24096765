import type { AuditAction, AuditApplication, AuditRow } from "@rport/protocol/audit";
import { unmapped } from "../platform/network.ts";
import { cut, type Facts, writtenFacts } from "./facts.ts";

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

/** Writes down what happens. A full disk fails nobody: it is counted and logged. */
export interface Audit {
  /**
   * Resolves when the entry would survive a power cut, or a write of it failed, which the log says.
   * Fails with `UNAVAILABLE` when so many wait for the disk that the entry has no place: it is never
   * answered as if it was there.
   */
  record(entry: AuditEntry): Promise<void>;
  /** Without waiting, and lost where many wait; entries keep the order of these calls. */
  note(entry: AuditEntry): void;
  /** Resolves when everything noted so far is on disk, or known to be lost. */
  settled(): Promise<void>;
  /**
   * To be awaited before something is granted (not before something is taken away): fails with
   * `DISK_FULL` or `UNAVAILABLE` while entries cannot be written, or too many wait to be.
   */
  ready(): Promise<void>;
}

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
  /** The same of the document: of its last writing. */
  readonly revision?: number | undefined;
  /** The hash of the entry before, 64 hexadecimal digits. */
  readonly prev: string;
}

/**
 * The entry as it is written: its texts and lists cut to so many bytes, so that no line is longer than
 * 16 KiB, whatever was said; facts cleared of shapes of secrets.
 */
export function bodyOf(
  entry: AuditEntry,
  place: Pick<AuditBody, "seq" | "at" | "commit" | "revision" | "prev">,
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
    request: writtenFacts(entry.request),
    response: writtenFacts(entry.response),
    commit: place.commit,
    revision: place.revision,
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
