import { RportError } from "@rport/protocol/errors";
import type { TokenPrefix } from "@rport/protocol/people/token";
import type { GroupName, UserName } from "@rport/protocol/people/user";
import { toTime } from "../../platform/clock.ts";
import type { SessionRecord } from "../records/sessionRecord.ts";
import type { TokenRecord } from "../records/tokenRecord.ts";
import type { PasswordRecord, TotpRecord, UserRecord } from "../records/userRecord.ts";
import { type NewSession, passwordChanged, withNewSession } from "./newSession.ts";
import { codeTaken, recoveryCodeTaken } from "./takenCode.ts";
import { isLater, requireWithin } from "./tokenBounds.ts";

/** Personal tokens of one user that have not been ended. */
export const TOKENS_MAX = 100;
/** Ended tokens of one user that are remembered, and how long, so that whoever shows one is told. */
const ENDED_MAX = 20;
const ENDED_KEPT_MS = 90 * 86_400_000;

/** A user with everything that opens something in their name. */
export interface Account {
  readonly record: UserRecord;
  readonly tokens: readonly TokenRecord[];
  readonly sessions: readonly SessionRecord[];
}

/** What may change about a user; what is absent stays. */
export interface UserChanges {
  readonly username?: UserName | undefined;
  readonly display_name?: string | undefined;
  readonly groups?: readonly GroupName[] | undefined;
  readonly disabled?: boolean | undefined;
  readonly password?: PasswordRecord | undefined;
  readonly password_expired?: boolean | undefined;
  readonly two_fa_send_to?: string | undefined;
}

/** What may change about a token; what is absent stays. */
export interface TokenChanges {
  readonly name?: string | undefined;
  readonly expires_at?: string | null | undefined;
}

/** One change of a user, or of what opens something in their name. `user` is the name before. */
export type AccountEdit = { readonly user: UserName } & AccountChange;

type AccountChange =
  /**
   * A new or expired password ends every session but `keepSession`; disabling ends sessions and
   * tokens. Several of these under way together change what each names, and nothing else. Refused where
   * the password is not that of `replaces` any more, which was shown for a new one.
   */
  | {
      readonly kind: "changeUser";
      readonly to: UserChanges;
      readonly atMs: number;
      /** The verifier of a password. */
      readonly replaces?: string | undefined;
      readonly keepSession?: number | undefined;
    }
  /** Refused where a confirmed one is there already. */
  | { readonly kind: "setTotp"; readonly totp: TotpRecord }
  | { readonly kind: "removeTotp" }
  /**
   * A code was right, which makes it count; refused when that code or a later one was taken. The
   * first one ends the sessions that began without it, save `keepSession`.
   */
  | {
      readonly kind: "takeCode";
      readonly step: number;
      readonly keepSession?: number | undefined;
    }
  /** A recovery code was right, and is gone; refused when it was gone. */
  | { readonly kind: "takeRecoveryCode"; readonly hash: string }
  /** `by`: the personal token that asks; see `requireWithin`. */
  | {
      readonly kind: "addToken";
      readonly record: TokenRecord;
      readonly by?: TokenPrefix | undefined;
    }
  | {
      readonly kind: "changeToken";
      readonly prefix: TokenPrefix;
      readonly to: TokenChanges;
      readonly by?: TokenPrefix | undefined;
    }
  /** It opens nothing from then on. */
  | { readonly kind: "endToken"; readonly prefix: TokenPrefix; readonly atMs: number }
  /** Refused when what it was decided on is not so any more; see `withNewSession`. */
  | ({ readonly kind: "addSession" } & NewSession)
  | { readonly kind: "endSession"; readonly session: number }
  | { readonly kind: "endSessions" };

const KINDS = {
  changeUser: true,
  setTotp: true,
  removeTotp: true,
  takeCode: true,
  takeRecoveryCode: true,
  addToken: true,
  changeToken: true,
  endToken: true,
  addSession: true,
  endSession: true,
  endSessions: true,
} satisfies Readonly<Record<AccountEdit["kind"], true>>;

/** Whether the edit changes one user. */
export function isAccountEdit(edit: { readonly kind: string }): edit is AccountEdit {
  return Object.hasOwn(KINDS, edit.kind);
}

/**
 * The account after an edit. Throws `CONFLICT` where the edit was decided on something that is not
 * so any more, or the name of a token is taken; `NOT_FOUND` for a change of a token that is gone;
 * further as `requireWithin`.
 */
export function editAccount(account: Account, edit: AccountEdit): Account {
  switch (edit.kind) {
    case "changeUser":
      return changedUser(account, edit);
    case "setTotp":
      if (account.record.totp?.confirmed === true) throw secondFactorExists();
      return withTotp(account, edit.totp);
    case "removeTotp":
      return withTotp(account, null);
    case "takeCode":
      return withCodeTaken(account, edit);
    case "takeRecoveryCode":
      return withTotp(account, recoveryCodeTaken(needTotp(account), edit.hash));
    case "addToken":
      requireWithin(account.tokens, edit.by, edit.record);
      return { ...account, tokens: [...roomForToken(account, edit.record), edit.record] };
    case "changeToken":
      return { ...account, tokens: changedToken(account, edit) };
    case "endToken":
      return {
        ...account,
        tokens: tokensWithout(account, ({ prefix }) => prefix === edit.prefix, edit.atMs),
      };
    case "addSession":
      return withSession(account, edit);
    case "endSession":
      return { ...account, sessions: sessionsBut(account, edit.session) };
    case "endSessions":
      return { ...account, sessions: [] };
  }
}

/** What everybody says of a user who is not there. */
export function noSuchUser(): RportError {
  return new RportError("NOT_FOUND", "There is no such user.");
}

/** What everybody says of a token that is not there. */
export function noSuchToken(): RportError {
  return new RportError("NOT_FOUND", "There is no such token.");
}

function changedUser(
  account: Account,
  { to, atMs, keepSession, replaces }: Extract<AccountEdit, { kind: "changeUser" }>,
): Account {
  if (replaces !== undefined && account.record.password?.verifier !== replaces) {
    throw passwordChanged();
  }
  const username = to.username ?? account.record.username;
  const isRenamed = username !== account.record.username;
  const named = isRenamed ? { named_at: toTime(atMs) } : {};
  const record = { ...account.record, ...given(to), ...named, username };
  const isLockedOut = to.disabled === true;
  const endsSessions = isLockedOut || to.password !== undefined || to.password_expired === true;
  const kept = isLockedOut
    ? []
    : account.sessions.filter(({ session_id: id }) => id === keepSession);
  const sessions = endsSessions ? kept : account.sessions;
  const tokens = isLockedOut ? tokensWithout(account, () => true, atMs) : account.tokens;
  return renamed({ record, tokens, sessions }, username);
}

function renamed({ record, tokens, sessions }: Account, username: UserName): Account {
  return {
    record,
    tokens: tokens.map((token) => ({ ...token, username })),
    sessions: sessions.map((session) => ({ ...session, username })),
  };
}

/** A change without the entries that are undefined, which would take what is there. */
function given(to: UserChanges): Partial<UserRecord> {
  const entries = Object.entries(to).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Partial<UserRecord>;
}

function withTotp(account: Account, totp: TotpRecord | null): Account {
  return { ...account, record: { ...account.record, totp } };
}

function needTotp({ record: { totp } }: Account): TotpRecord {
  if (totp !== null) return totp;
  throw new RportError("CONFLICT", "There is no second factor.");
}

function secondFactorExists(): RportError {
  return new RportError("CONFLICT", "There is a second factor already: delete that one first.");
}

function withCodeTaken(
  account: Account,
  { step, keepSession }: Extract<AccountEdit, { kind: "takeCode" }>,
): Account {
  const totp = needTotp(account);
  const taken = withTotp(account, codeTaken(totp, step));
  if (totp.confirmed) return taken;
  const sessions = account.sessions.filter(({ session_id: id }) => id === keepSession);
  return { ...taken, sessions };
}

function roomForToken(account: Account, { prefix, name }: TokenRecord): readonly TokenRecord[] {
  requireActive(account);
  const working = account.tokens.filter(({ ended_at: endedAt }) => endedAt === null);
  if (working.length >= TOKENS_MAX) {
    throw new RportError("CONFLICT", `A user has at most ${TOKENS_MAX} tokens: end one first.`);
  }
  if (account.tokens.some((token) => token.prefix === prefix)) {
    throw new RportError("CONFLICT", "There is such a token already.");
  }
  refuseTwin(working, name);
  return account.tokens;
}

function refuseTwin(tokens: readonly TokenRecord[], name: string): void {
  if (!tokens.some((token) => token.name === name)) return;
  throw new RportError("CONFLICT", `You have a token called "${name}" already.`);
}

function changedToken(
  { tokens }: Account,
  { prefix, to, by }: Extract<AccountEdit, { kind: "changeToken" }>,
): readonly TokenRecord[] {
  const isIt = (token: TokenRecord) => token.prefix === prefix && token.ended_at === null;
  const { scope, expires_at: end } = needToken(tokens.find(isIt));
  const { expires_at: next = end } = to;
  if (isLater(next, end)) requireWithin(tokens, by, { scope, expires_at: next });
  const others = tokens.filter((token) => token.ended_at === null && !isIt(token));
  if (to.name !== undefined) refuseTwin(others, to.name);
  return tokens.map((token) =>
    isIt(token)
      ? {
          ...token,
          name: to.name ?? token.name,
          expires_at: next,
        }
      : token,
  );
}

function needToken(token: TokenRecord | undefined): TokenRecord {
  if (token === undefined) throw noSuchToken();
  return token;
}

function tokensWithout(
  { tokens }: Account,
  ends: (token: TokenRecord) => boolean,
  atMs: number,
): readonly TokenRecord[] {
  const next = tokens.map((token) =>
    token.ended_at === null && ends(token) ? { ...token, ended_at: toTime(atMs) } : token,
  );
  const remembered = next
    .filter(
      ({ ended_at: endedAt }) => endedAt !== null && Date.parse(endedAt) > atMs - ENDED_KEPT_MS,
    )
    .slice(-ENDED_MAX);
  return next.filter((token) => token.ended_at === null || remembered.includes(token));
}

function withSession(account: Account, begun: NewSession): Account {
  requireActive(account);
  const { record, sessions } = account;
  const { scope, created_at: at } = begun.record;
  const signedInAt = scope === "full" ? at : record.last_sign_in_at;
  return {
    ...account,
    record: { ...record, last_sign_in_at: signedInAt },
    sessions: withNewSession(record, sessions, begun),
  };
}

function sessionsBut({ sessions }: Account, gone: number): readonly SessionRecord[] {
  return sessions.filter(({ session_id: id }) => id !== gone);
}

function requireActive({ record }: Account): void {
  if (record.disabled) throw new RportError("CONFLICT", "The user is disabled.");
}
