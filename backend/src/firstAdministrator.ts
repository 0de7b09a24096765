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
}

/** Whether people reach this server from elsewhere, and nobody is there who may let them in. */
export function lacksAdministrator({ administration, users }: FirstAdministratorDeps): boolean {
  return !isLocal(users) && !hasAdministrator(administration.ledger);
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
