import type { Session, Token } from "@rport/protocol/people/token";
import { t } from "@vscode/l10n";

/** One way into the server that a user has now. Its id is unique among those of the user. */
export type UserAccess =
  | { readonly kind: "token"; readonly id: string; readonly token: Token }
  | { readonly kind: "session"; readonly id: string; readonly session: Session };

/** The tokens and sessions of one user, in one list. */
export function accessList(
  tokens: readonly Token[],
  sessions: readonly Session[],
): readonly UserAccess[] {
  return [
    ...tokens.map((token) => ({ kind: "token", id: `token-${token.prefix}`, token }) as const),
    ...sessions.map(
      (session) => ({ kind: "session", id: `session-${session.session_id}`, session }) as const,
    ),
  ];
}

/** What it is called in a question. */
export function accessName(access: UserAccess): string {
  return access.kind === "token"
    ? t("the token {0}", access.token.name)
    : t("the session from {0}", access.session.ip_address);
}
