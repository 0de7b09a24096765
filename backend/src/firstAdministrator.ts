import { ADMINISTRATORS } from "@rport/protocol/people/right";
import { groupNameSchema } from "@rport/protocol/people/user";
import { isLocal, type Place } from "./place.ts";
import type { AccountLedger } from "./users/accounts/accountLedger.ts";
import { hasAdministrator } from "./users/administration/administrators.ts";
import type { Invitations } from "./users/invitations/invitations.ts";

/** How long the code of the first administrator works. */
const TTL_MS = 15 * 60_000;

/** What the first administrator is made with. */
export interface FirstAdministratorDeps {
  readonly administration: {
    readonly ledger: Pick<AccountLedger, "all">;
    readonly invitations: Pick<Invitations, "create">;
  };
  /** Where people are served. */
  readonly users: Place;
  /** Addresses under which somebody has said that this server is reached. */
  readonly serverUrls: readonly string[];
  /** Proxies whose word counts for who asks. */
  readonly trustedProxies: readonly string[];
}

/** Whether people reach this server from elsewhere, and nobody is there who may let them in. */
export function lacksAdministrator(deps: FirstAdministratorDeps): boolean {
  return isReachedFromElsewhere(deps) && !hasAdministrator(deps.administration.ledger);
}

/** Behind a proxy on the same machine, the server itself may listen on loopback only. */
function isReachedFromElsewhere({
  users,
  serverUrls,
  trustedProxies,
}: FirstAdministratorDeps): boolean {
  // Where people have an address of their own, these are for agents.
  const isOne = users.faces.has("agents");
  const isNamed = isOne && serverUrls.some((url) => !isLocal({ host: hostOf(url) }));
  return !isLocal(users) || isNamed || trustedProxies.length > 0;
}

/** The name in an address, without the brackets of IPv6. */
function hostOf(url: string): string {
  return new URL(url).hostname.replace(/^\[|\]$/g, "");
}

/**
 * A code that makes whoever types it the first administrator, within 15 minutes and as long as there
 * is none; undefined where none is lacking. It must be shown to whoever started the server, and to
 * nobody else.
 */
export function firstAdministratorCode(deps: FirstAdministratorDeps): string | undefined {
  if (!lacksAdministrator(deps)) return undefined;
  const { ledger, invitations } = deps.administration;
  return invitations.create({
    groups: [groupNameSchema.parse(ADMINISTRATORS)],
    displayName: "",
    maker: undefined,
    isBacked: () => !hasAdministrator(ledger),
    ttlMs: TTL_MS,
  }).code;
}
