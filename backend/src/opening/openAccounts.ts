import type { Auditing } from "../audit/auditing.ts";
import { Arrears } from "../credentials/ledger/arrears.ts";
import type { Touch } from "../events/sources.ts";
import type { Limits } from "../limits/limits.ts";
import type { Store } from "../store/store.ts";
import { AccountLedger } from "../users/accounts/accountLedger.ts";
import { Entrances } from "../users/accounts/entrances.ts";
import { ExpiryWatch } from "../users/accounts/expiryWatch.ts";
import { SocketCounts } from "../users/accounts/socketCounts.ts";
import { UserViews } from "../users/accounts/userViews.ts";
import { Uses } from "../users/accounts/uses.ts";
import { Withdrawals } from "../users/accounts/withdrawals.ts";
import type { Accounts, SigningIn } from "../users/accounts.ts";
import { ChangeBudget } from "../users/changeBudget.ts";
import { Freshness } from "../users/signIn/freshness.ts";
import { Guessing } from "../users/signIn/guessing.ts";
import { OwnAccount } from "../users/signIn/ownAccount.ts";
import { OwnFactor } from "../users/signIn/ownFactor.ts";
import { Passwords } from "../users/signIn/passwords.ts";
import { PersonalTokens } from "../users/signIn/personalTokens.ts";
import { Renames } from "../users/signIn/renames.ts";
import { SecondFactor } from "../users/signIn/secondFactor.ts";
import { sessionKey } from "../users/signIn/sessionKey.ts";
import { Sessions } from "../users/signIn/sessions.ts";
import { SessionTokens } from "../users/signIn/sessionTokens.ts";
import { SignIn } from "../users/signIn/signIn.ts";
import type { ServicesOptions } from "./servicesOptions.ts";

/** What accounts stand on. */
export interface AccountsDeps {
  readonly store: Pick<Store, "edits" | "paths" | "identity">;
  readonly auditing: Pick<Auditing, "signIns">;
  readonly limits: Limits;
  readonly touch: Touch;
}

const USUAL = { passwordMinLength: 12, totpRequired: false } as const;

/** What of the options accounts need. */
type AccountsOptions = Pick<ServicesOptions, "signIn" | "clock" | "log">;

/** Reads the accounts, who follow the store from then on; `opened` closes them. */
export async function openAccounts(
  options: AccountsOptions,
  deps: AccountsDeps,
  opened: AsyncDisposableStack,
): Promise<Accounts> {
  const { store, limits, touch } = deps;
  const { clock } = options;
  const ledger = AccountLedger.open(store.edits);
  // Without any, the only one who comes in is whoever can read the token of local mode.
  limits.sharedWhile(() => ledger.size > 0);
  const sockets = new SocketCounts((user) => touch("user", user));
  ledger.watchRights((users) => {
    for (const user of users) touch("user", user);
  });
  const users = new UserViews({ ledger, sockets, clock });
  const arrears = new Arrears({ clock, log: options.log });
  opened.defer(() => arrears.close());
  const withdrawals = new Withdrawals({ ledger, store: store.edits, arrears });
  const entrances = new Entrances({ ledger, withdrawals, clock });
  const signingIn = await openSigningIn(options, { ...deps, ledger, entrances }, opened);
  return { ...signingIn, ledger, edits: store.edits, sockets, users, withdrawals, entrances };
}

/** What signing in stands on. */
interface SigningInDeps extends AccountsDeps {
  readonly ledger: AccountLedger;
  readonly entrances: Entrances;
}

async function openSigningIn(
  { signIn: rules = USUAL, clock, log }: AccountsOptions,
  { store, auditing, limits, touch, ledger, entrances }: SigningInDeps,
  opened: AsyncDisposableStack,
): Promise<SigningIn> {
  const { edits, paths, identity } = store;
  const uses = new Uses({ store: edits, clock, log });
  opened.defer(() => uses.flush());
  const expiry = new ExpiryWatch({ ledger, clock, onEnd: (user) => touch("user", user) });
  opened.defer(() => expiry.close());
  const base = { ledger, store: edits, uses, expiry, clock };
  const tokens = new SessionTokens(await sessionKey(paths.sessionKey, log), clock);
  const sessions = new Sessions({ ...base, tokens });
  const passwords = new Passwords({ minLength: rules.passwordMinLength, limits });
  const secondFactor = new SecondFactor(identity.verifierKey, clock);
  const parts = { ...base, entrances, passwords, sessions, secondFactor };
  const changes = new ChangeBudget({ limits, clock });
  const signIn = new SignIn({
    ...parts,
    changes,
    guessing: new Guessing(clock),
    totpRequired: rules.totpRequired,
    signIns: auditing.signIns,
  });
  const freshness = new Freshness({ ledger, clock });
  const renames = new Renames({ limits, clock });
  const own = new OwnAccount({ ...parts, signIn, freshness, renames });
  const ownFactor = new OwnFactor({ ...parts, own, signIn, freshness, clock });
  const personalTokens = new PersonalTokens({ ...base, entrances, freshness });
  return { changes, passwords, personalTokens, sessions, signIn, own, ownFactor, freshness };
}
