import type { EditStore } from "../store/edits/editStore.ts";
import type { AccountLedger } from "./accounts/accountLedger.ts";
import type { Entrances } from "./accounts/entrances.ts";
import type { SocketCounts } from "./accounts/socketCounts.ts";
import type { UserViews } from "./accounts/userViews.ts";
import type { Withdrawals } from "./accounts/withdrawals.ts";
import type { ChangeBudget } from "./changeBudget.ts";
import type { Freshness } from "./signIn/freshness.ts";
import type { OwnAccount } from "./signIn/ownAccount.ts";
import type { OwnFactor } from "./signIn/ownFactor.ts";
import type { Passwords } from "./signIn/passwords.ts";
import type { PersonalTokens } from "./signIn/personalTokens.ts";
import type { Sessions } from "./signIn/sessions.ts";
import type { SignIn } from "./signIn/signIn.ts";

/** The people who may use this server, and how they sign in. */
export interface Accounts extends SigningIn {
  readonly ledger: AccountLedger;
  /** How anything of them is changed. */
  readonly edits: EditStore;
  /** Users as administrators see them. */
  readonly users: UserViews;
  readonly sockets: SocketCounts;
  readonly withdrawals: Withdrawals;
  readonly entrances: Entrances;
}

/** How people sign in. */
export interface SigningIn {
  /** How much users may change, wherever they do. */
  readonly changes: ChangeBudget;
  readonly passwords: Passwords;
  readonly personalTokens: PersonalTokens;
  readonly sessions: Sessions;
  readonly signIn: SignIn;
  readonly own: OwnAccount;
  readonly ownFactor: OwnFactor;
  readonly freshness: Freshness;
}
