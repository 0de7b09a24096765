import type { Invitation } from "@rport/protocol/people/invitation";
import type { Session, Token } from "@rport/protocol/people/token";
import type { Ended, User } from "@rport/protocol/people/user";
import { t } from "@vscode/l10n";
import { plural } from "../../support/plural.ts";
import { ago, until } from "../relativeTime.ts";
import type { UserAccess } from "../userAccess.ts";
import { contextValue } from "./contextValue.ts";
import { joinDots, joinSpoken, type Row, type RowIcon } from "./row.ts";

/** What a user's row depends on. */
export interface UserFacts {
  readonly user: User;
  readonly isMe: boolean;
  /** Why the tokens and sessions could not be fetched. */
  readonly failure: string | undefined;
  readonly nowMs: number;
}

/** What a user is called: the display name, else the name to sign in with. */
export function userLabel({ display_name: name, username }: User): string {
  return name || username;
}

function userIcon({ disabled, sockets }: User): RowIcon {
  if (disabled) return { name: "circle-slash", color: "disabledForeground" };
  return sockets > 0 ? { name: "account", color: "testing.iconPassed" } : { name: "account" };
}

/** A user's row. What needs attention comes first. */
export function userRow({ user, isMe, failure, nowMs }: UserFacts): Row {
  const label = userLabel(user);
  const last = user.last_sign_in_at;
  const words = [
    user.disabled ? t("disabled") : "",
    failure ?? "",
    label === user.username ? "" : user.username,
    isMe ? t("you") : "",
    user.groups.join(", ") || t("no group"),
    user.sockets > 0 ? t("connected") : "",
    last === null ? t("never signed in") : t("signed in {0}", ago(last, nowMs)),
  ];
  return {
    label,
    description: joinDots(...words),
    icon: userIcon(user),
    context: contextValue("user", { disabled: user.disabled, me: isMe, totp: user.totp }),
    children: user.tokens + user.sessions > 0 ? "collapsed" : "none",
    spoken: joinSpoken(label, ...words),
  };
}

/** The row of a token or a session, below its user. */
export function accessRow(access: UserAccess, nowMs: number): Row {
  return access.kind === "token"
    ? tokenRow(access.token, nowMs)
    : sessionRow(access.session, nowMs);
}

/** What is worth knowing of a personal token, in a few words. */
export function tokenWords(token: Token, nowMs: number): readonly string[] {
  const { scope, last_used_at: used, last_used_from: from, expires_at: end } = token;
  return [
    token.current ? t("this editor") : "",
    scope === "read+write" ? "" : scope,
    used === null ? t("never used") : usedWords(ago(used, nowMs), from),
    end === null ? "" : t("ends {0}", until(end, nowMs)),
  ];
}

function usedWords(when: string, from: string): string {
  return from === "" ? t("used {0}", when) : t("used {0} from {1}", when, from);
}

function tokenRow(token: Token, nowMs: number): Row {
  const words = tokenWords(token, nowMs);
  return {
    label: token.name,
    description: joinDots(...words),
    icon: { name: "key" },
    context: contextValue("access", { token: true }),
    children: "none",
    spoken: joinSpoken(t("token {0}", token.name), ...words),
  };
}

function sessionRow(session: Session, nowMs: number): Row {
  const { ip_address: address, user_agent: agent, last_access_at: last } = session;
  const words = [t("active {0}", ago(last, nowMs)), agent];
  return {
    label: t("Session from {0}", address),
    description: joinDots(...words),
    icon: { name: "window" },
    context: contextValue("access", { session: true }),
    children: "none",
    spoken: joinSpoken(t("session from {0}", address), ...words),
  };
}

/** The row above the invitations. */
export function invitationsRow(failure: string | undefined): Row {
  return {
    label: t("Open invitations"),
    description: failure ?? "",
    icon: { name: "mail" },
    context: contextValue("invitations"),
    children: "collapsed",
    spoken: joinSpoken(t("Open invitations"), failure ?? ""),
  };
}

/** The row of an invitation that nobody has accepted yet. */
export function invitationRow(invitation: Invitation, nowMs: number): Row {
  const { display_name: name, groups, created_by: by, expires_at: end } = invitation;
  const words = [
    groups.join(", ") || t("no group"),
    t("by {0}", by),
    t("ends {0}", until(end, nowMs)),
  ];
  return {
    label: name || t("Somebody"),
    description: joinDots(...words),
    icon: { name: "watch" },
    context: contextValue("invitation"),
    children: "none",
    spoken: joinSpoken(
      name === "" ? t("invitation for somebody") : t("invitation for {0}", name),
      ...words,
    ),
  };
}

/** What disabling a user ends, or has ended: a line each, without those of which there is none. */
export function endedLines(ended: Ended): readonly string[] {
  const lines: readonly (readonly [number, (n: number) => string])[] = [
    [ended.tokens, (n) => plural(n, t("{0} personal token", n), t("{0} personal tokens", n))],
    [ended.sessions, (n) => plural(n, t("{0} session", n), t("{0} sessions", n))],
    [ended.sockets, (n) => plural(n, t("{0} open connection", n), t("{0} open connections", n))],
    [
      ended.editor_connections,
      (n) =>
        plural(n, t("{0} connection through tunnels", n), t("{0} connections through tunnels", n)),
    ],
    [ended.pairings, (n) => plural(n, t("{0} open pairing", n), t("{0} open pairings", n))],
    [
      ended.invitations,
      (n) => plural(n, t("{0} open invitation", n), t("{0} open invitations", n)),
    ],
  ];
  return lines.filter(([n]) => n > 0).map(([n, text]) => text(n));
}
