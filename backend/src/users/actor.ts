import {
  ADMINISTRATORS,
  ALL_PERMISSIONS,
  NO_PERMISSIONS,
  type Permissions,
  type TokenScope,
} from "@rport/protocol/people/right";

/**
 * Whoever acts on the users' face, as far as this request or socket has shown it. Groups and
 * permissions are those of now, however long ago that was: whoever asks twice may be told
 * different things.
 */
export interface Actor {
  /** Names what was shown (a token or a session) in the audit log; it opens nothing. */
  readonly tokenId: string;
  /** Who it is, whatever the name is; empty for a stranger. */
  readonly accountId: string;
  /** The user's name, which may change; empty for a stranger. */
  readonly name: string;
  /** Whether there is an account behind the name: local mode has none. */
  readonly hasAccount: boolean;
  /** What was shown is good for so much; `signingIn`: the second factor is owed. */
  readonly scope: TokenScope | "signingIn" | "none";
  readonly groups: readonly string[];
  readonly isAdministrator: boolean;
  readonly permissions: Permissions;
  /** Aborted when what was shown works no longer: everything open in the user's name ends then. */
  readonly ended: AbortSignal;
}

/** Somebody who has shown nothing, on the few endpoints that ask for nothing. */
export const STRANGER: Actor = {
  tokenId: "",
  accountId: "",
  name: "",
  hasAccount: false,
  scope: "none",
  groups: [],
  isAdministrator: false,
  permissions: NO_PERMISSIONS,
  ended: new AbortController().signal,
};

/** How the account ids of local mode begin; no account's own does. */
const LOCAL = "local ";

/** Whether it is the account id of the person of local mode. */
export function isLocalAccount(accountId: string): boolean {
  return accountId.startsWith(LOCAL);
}

/** The name of the person of local mode that an account id is of; undefined: it is another one. */
export function localNameOf(accountId: string): string | undefined {
  return isLocalAccount(accountId) ? accountId.slice(LOCAL.length) : undefined;
}

/** The person of local mode, who may everything; `name` is what the audit log says. */
export function localActor(facts: Pick<Actor, "tokenId" | "name" | "ended">): Actor {
  return {
    tokenId: facts.tokenId,
    accountId: `${LOCAL}${facts.name}`,
    name: facts.name,
    ended: facts.ended,
    hasAccount: false,
    scope: "read+write",
    groups: [ADMINISTRATORS],
    isAdministrator: true,
    permissions: ALL_PERMISSIONS,
  };
}
