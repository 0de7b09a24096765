import type { ClientId } from "@rport/protocol/ids";
import { ADMINISTRATORS } from "@rport/protocol/people/right";
import type { AccountLedger } from "../users/accounts/accountLedger.ts";
import { isLocalAccount, localNameOf } from "../users/actor.ts";
import type { ClientAccess } from "../users/clientAccess.ts";

/** Where it is looked up what owners may. */
export interface TerminalOwnersDeps {
  readonly ledger: Pick<AccountLedger, "account" | "permissionsOf">;
  readonly access: ClientAccess;
}

/** Those whose terminals are on hosts, whether they are here or not: who they are, and what they may now. */
export class TerminalOwners {
  readonly #deps: TerminalOwnersDeps;

  constructor(deps: TerminalOwnersDeps) {
    this.#deps = deps;
  }

  /**
   * The name of an account now; where it was deleted, the one that it had `before` as this server knows,
   * else words that are no name, with its id.
   */
  nameOf(owner: string, before?: string): string {
    const name = this.#deps.ledger.account(owner)?.record.username ?? localNameOf(owner);
    return name ?? before ?? `deleted account: ${owner}`;
  }

  /** Whether somebody may have a terminal on a client: disabled or gone, they may have none. */
  may(owner: string, clientId: ClientId): boolean {
    if (isLocalAccount(owner)) return true;
    const { ledger, access } = this.#deps;
    const record = ledger.account(owner)?.record;
    if (record === undefined || record.disabled) return false;
    const { groups } = record;
    const isAdministrator = groups.some((name) => name === ADMINISTRATORS);
    if (!isAdministrator && !ledger.permissionsOf(groups).terminal) return false;
    return access.maySee({ isAdministrator, groups }, clientId);
  }
}
