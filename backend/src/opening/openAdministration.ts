import type { Auditing } from "../audit/auditing.ts";
import type { Credentials } from "../credentials/credentials.ts";
import type { AdministrationHandlerDeps } from "../http/handlers/people/administration.ts";
import type { Limits } from "../limits/limits.ts";
import type { PairingService } from "../pairing/pairingService.ts";
import type { Pairings } from "../pairing/pairings.ts";
import type { Accounts } from "../users/accounts.ts";
import { acceptInvitation } from "../users/administration/acceptance.ts";
import { Endings } from "../users/administration/endings.ts";
import { knownSecrets } from "../users/administration/knownSecrets.ts";
import { UserAdministration } from "../users/administration/userAdministration.ts";
import { Invitations } from "../users/invitations/invitations.ts";
import { makeToken } from "../users/signIn/newToken.ts";
import type { ServicesOptions } from "./servicesOptions.ts";

/** What the administration of people stands on. */
export interface AdministrationDeps {
  readonly accounts: Accounts;
  readonly auditing: Pick<Auditing, "index">;
  readonly credentials: Credentials;
  readonly limits: Limits;
  readonly pairings: Pairings;
  readonly pairingService: PairingService;
}

/** New passwords wait for each other, apart from those that somebody tries. */
const ADMINISTRATION = "administration";

/** What administrators do with people, as it is served. */
export type Administration = Omit<AdministrationHandlerDeps, "searches">;

/** Opens what administrators do with people; invitations end with `opened`. */
export function openAdministration(
  { clock }: ServicesOptions,
  { accounts, auditing, credentials, pairings, pairingService, limits }: AdministrationDeps,
  opened: AsyncDisposableStack,
): Administration {
  const { ledger, edits, users, sockets, passwords, personalTokens, freshness } = accounts;
  const makePassword = (text: string) => passwords.derive(text, ADMINISTRATION);
  const invitations = new Invitations({ clock, limits });
  opened.defer(() => invitations.close());
  const { withdrawals, entrances } = accounts;
  const ends = { users, sockets, pairings, pairingService, invitations, withdrawals };
  const endings = new Endings(ends);
  const index = auditing.index;
  return {
    users,
    ledger,
    edits,
    freshness,
    entrances,
    invitations,
    administration: new UserAdministration({ ledger, edits, endings, makePassword, clock }),
    knownSecrets: (user) => knownSecrets(user, { index, credentials, clock }),
    createToken: (user, input) => personalTokens.create(user, input),
    accept: (body, from) =>
      acceptInvitation(body, from, { invitations, ledger, edits, makePassword, makeToken, clock }),
  };
}
