import { RportError } from "@rport/protocol/errors";
import type { SessionRecord } from "../records/sessionRecord.ts";
import type { UserRecord } from "../records/userRecord.ts";

/**
 * Sessions of one user; whoever begins one more ends the one that was used longest ago. Those that
 * owe a code make room among themselves: whoever has the password alone ends no session of somebody
 * who has shown both.
 */
const MOST = { full: 50, "second-factor": 10 } as const;
/** Sessions whose time is over are remembered this long, so that whoever shows one is told. */
const EXPIRED_KEPT_MS = 3_600_000;

/** A session as it begins, and what that was decided on. */
export interface NewSession {
  readonly record: SessionRecord;
  /** Of the password that was checked. */
  readonly verifier?: string | undefined;
  /** The session that owed the code which was shown: it ends with that. */
  readonly owing?: number | undefined;
  /** Sessions that make room for it; see `crowdedBy`. */
  readonly crowded?: readonly number[] | undefined;
}

/**
 * The sessions that make room for one more: those that were used longest ago. To be named in the edit: a use
 * is on disk later than in memory, so that the two would choose others.
 */
export function crowdedBy(
  { scope }: SessionRecord,
  sessions: readonly SessionRecord[],
): readonly number[] {
  const used = sessions
    .filter((one) => one.scope === scope)
    .toSorted((one, other) => Date.parse(one.last_access_at) - Date.parse(other.last_access_at));
  return used.slice(0, Math.max(used.length - MOST[scope] + 1, 0)).map((one) => one.session_id);
}

/**
 * The sessions of a user after one more has begun. Throws `CONFLICT` where what it was decided on is
 * not so any more: the password, the session that owed a code, or that none is owed.
 */
export function withNewSession(
  user: UserRecord,
  sessions: readonly SessionRecord[],
  { record, verifier, owing, crowded = [] }: NewSession,
): readonly SessionRecord[] {
  if (verifier !== undefined) requireSamePassword(user, verifier, record);
  const others = sessions.filter(({ session_id: id }) => id !== owing);
  if (owing !== undefined && others.length === sessions.length) {
    throw signInEnded();
  }
  const kept = others.filter(({ session_id: id }) => !crowded.includes(id));
  return [...roomFor(record, kept), record];
}

/** What whoever signs in reads when that was ended meanwhile. */
export function signInEnded(): RportError {
  return new RportError("CONFLICT", "This sign-in has ended: show the password again.");
}

/** What whoever showed a password reads that is not the one any more. */
export function passwordChanged(): RportError {
  return new RportError("CONFLICT", "The password was changed meanwhile.");
}

function requireSamePassword(user: UserRecord, verifier: string, { scope }: SessionRecord): void {
  if (user.password?.verifier !== verifier) {
    throw passwordChanged();
  }
  if (scope === "full" && user.totp?.confirmed === true) {
    throw new RportError("CONFLICT", "There is a second factor since: sign in again.");
  }
}

/** Of several that begin at once each names the same: then those go that began first. */
function roomFor(
  { scope, created_at: now }: SessionRecord,
  sessions: readonly SessionRecord[],
): readonly SessionRecord[] {
  const leastMs = Date.parse(now) - EXPIRED_KEPT_MS;
  const remembered = sessions
    .filter(({ expires_at: end }) => Date.parse(end) > leastMs)
    .toSorted((one, other) => Date.parse(one.created_at) - Date.parse(other.created_at));
  const of = (kind: SessionRecord["scope"]) => remembered.filter((one) => one.scope === kind);
  const keptOf = (kind: SessionRecord["scope"]) =>
    of(kind).slice(-(kind === scope ? MOST[kind] - 1 : MOST[kind]));
  return [...keptOf("full"), ...keptOf("second-factor")];
}
