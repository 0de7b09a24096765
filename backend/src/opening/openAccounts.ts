import type { Touch } from "../events/hub.ts";
import type { Store } from "../store/store.ts";
import { AccountLedger } from "../users/accounts/accountLedger.ts";
import { SocketCounts } from "../users/accounts/socketCounts.ts";
import { UserViews } from "../users/accounts/userViews.ts";
import type { ServicesOptions } from "./servicesOptions.ts";

/** What accounts stand on. */
export interface AccountsDeps {
  readonly store: Store;
  readonly touch: Touch;
}

/** The people who may use this server. */
export interface Accounts {
  readonly ledger: AccountLedger;
  /** How anything of them is changed. */
  readonly edits: Store["edits"];
  /** Users as administrators see them. */
  readonly users: UserViews;
  readonly sockets: SocketCounts;
}

/** Reads the accounts, who follow the store from then on. */
export function openAccounts({ clock }: ServicesOptions, { store, touch }: AccountsDeps): Accounts {
  const ledger = AccountLedger.open(store.edits);
  const sockets = new SocketCounts((user) => touch("user", user));
  ledger.watchRights((users) => {
    for (const user of users) touch("user", user);
  });
  return { ledger, edits: store.edits, sockets, users: new UserViews({ ledger, sockets, clock }) };
}
