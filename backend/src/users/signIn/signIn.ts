import { RportError } from "@rport/protocol/errors";
import { ADMINISTRATORS } from "@rport/protocol/people/right";
import type { signedInSchema } from "@rport/protocol/people/signInEndpoints";
import type { z } from "zod";
import type { SignIns } from "../../audit/signIns.ts";
import type { Clock } from "../../platform/clock.ts";
import { RecentMap } from "../../platform/recentMap.ts";
import type { Edit } from "../../store/edits/edit.ts";
import type { PasswordRecord, UserRecord } from "../../store/records/userRecord.ts";
import type { AccountLedger } from "../accounts/accountLedger.ts";
import type { Entrances } from "../accounts/entrances.ts";
import type { Actor } from "../actor.ts";
import type { ChangeBudget } from "../changeBudget.ts";
import type { Guessing, TriesFrom } from "./guessing.ts";
import type { NewPassword } from "./newPassword.ts";
import type { Passwords } from "./passwords.ts";
import { SecondFactor, type TakenCode } from "./secondFactor.ts";
import type { BegunSession, Sessions } from "./sessions.ts";

/** Wrong codes after which the password has to be shown again. */
const WRONG_CODES_MAX = 5;
/** New passwords that wait for a code. */
const WAITING_MAX = 1_000;

const EXPIRED = "The password has expired: send new_password with it.";

/** Where somebody signs in from, and with what. */
export interface SignInFrom extends TriesFrom {
  readonly userAgent: string;
  /** How long the session may be unused at first, in seconds; undefined: RPort's ten minutes. */
  readonly lifetimeS: number | undefined;
}

/** A name and a password, as somebody typed them. */
export interface TypedCredentials {
  readonly username: string;
  readonly password: string;
  /** Takes the place of the password. */
  readonly newPassword?: string | undefined;
}

/** RPort's answer to a password that is right. */
export type SignedIn = z.output<typeof signedInSchema>;

/** What signing in needs. */
export interface SignInDeps {
  readonly ledger: AccountLedger;
  /** A new password at a sign-in is a change like any other. */
  readonly changes: Pick<ChangeBudget, "spend">;
  readonly passwords: Passwords;
  readonly guessing: Guessing;
  readonly sessions: Sessions;
  readonly entrances: Pick<Entrances, "endSession">;
  readonly secondFactor: SecondFactor;
  /** Whether everybody has to have a second factor. */
  readonly totpRequired: boolean;
  readonly signIns: SignIns;
  readonly clock: Pick<Clock, "now">;
}

/** From a password, and a code where one is owed, to a session. */
export class SignIn {
  readonly #deps: SignInDeps;
  /** How often a session that owes a code was shown a wrong one. */
  readonly #wrongCodes = new WeakMap<Actor, number>();
  /** What takes the place of the password once the session, by its id, has shown the code it owes. */
  readonly #newPasswords = new RecentMap<string, NewPassword>(WAITING_MAX);

  constructor(deps: SignInDeps) {
    this.#deps = deps;
  }

  /**
   * Begins a session. Fails with `UNAUTHORIZED`, in the same words and after the same time for an
   * unknown name as for a wrong password, or with `TOO_MANY_REQUESTS`.
   */
  async withPassword(typed: TypedCredentials, from: SignInFrom): Promise<SignedIn> {
    const user = await this.checkPassword(typed, from);
    const password = await this.#newPassword(user, typed, from);
    const status = this.#owedFactor(user);
    const token = await this.#begin(user.record, password, {
      from,
      scope: status === undefined ? "full" : "second-factor",
    });
    if (status === undefined) return { token, two_fa: null };
    const method = "totp_authenticator_app" as const;
    const twoFa = { send_to: "", delivery_method: method, totp_key_status: status };
    return { token, two_fa: twoFa };
  }

  /** Shows a code; the session that owed it ends, and the answer is the token of another one. */
  async withCode(
    actor: Actor,
    { username, token: code }: { readonly username: string; readonly token: string },
    from: SignInFrom,
  ): Promise<string> {
    if (actor.scope !== "signingIn") {
      throw new RportError("FORBIDDEN", "Only a session that owes a code takes one.");
    }
    const { username: name, totp } = this.#recordOf(actor);
    if (totp === null) {
      throw new RportError("CONFLICT", "There is no second factor yet: POST /me/totp-secret.");
    }
    const taken =
      username === name ? this.checkCode(actor, { code, purpose: "code" }, from) : undefined;
    if (taken === undefined) throw await this.#wrongCode(actor);
    const owing = Number(actor.tokenId);
    const session = { ...from, user: name, scope: "full" as const, owing };
    const how = taken.kind === "code" ? "second factor" : "recovery code";
    const password = this.#waitingPassword(actor, owing);
    const first = [editOf(name, taken, owing), ...password];
    const { id, token } = await this.#beginWith(session, first);
    this.#newPasswords.delete(actor.tokenId);
    const { accountId } = actor;
    this.#deps.signIns.signedIn({ tokenId: id, accountId, name }, from.address, how);
    if (password.length > 0) await this.#deps.signIns.passwordChanged(name, from.address);
    return token;
  }

  /** The user whose password this is. Fails as `withPassword` does. */
  async checkPassword(
    { username, password }: TypedCredentials,
    from: TriesFrom,
  ): Promise<CheckedUser> {
    const { ledger, passwords, guessing, signIns } = this.#deps;
    const mayTry = () => guessing.require(username, from);
    mayTry();
    const account = ledger.get(username);
    const record = account?.record;
    const { address } = from;
    const isRight = await passwords.check(record?.password, { password, address, mayTry });
    if (account === undefined || record === undefined || !isRight) {
      guessing.wrong(username, from);
      signIns.refused(record?.username ?? "", from.address, "password");
      throw new RportError("UNAUTHORIZED", "The name or the password is wrong.");
    }
    guessing.right(from);
    if (record.disabled) throw new RportError("UNAUTHORIZED", "The user is disabled.");
    return { record, accountId: account.id };
  }

  /**
   * What a code of the actor's is good for; undefined, and counted, when it is wrong. Those that are
   * shown for something else than signing in are counted apart: whoever has stolen a token uses up
   * nobody's tries at the door.
   */
  checkCode(actor: Actor, { code, purpose }: ShownCode, from: TriesFrom): TakenCode | undefined {
    const { guessing, secondFactor, signIns } = this.#deps;
    const { username, totp } = this.#recordOf(actor);
    // A colon is in no name: codes and passwords are counted apart.
    const counted = `${actor.accountId}:${purpose}`;
    guessing.require(counted, from);
    const isOfApp = SecondFactor.isOfApp(code);
    if (isOfApp) guessing.requireCode(counted);
    const taken = totp === null ? undefined : secondFactor.check(totp, code);
    if (taken !== undefined) return taken;
    guessing.wrong(counted, from);
    if (isOfApp) guessing.wrongCode(counted);
    signIns.refused(username, from.address, "second factor");
    return undefined;
  }

  async #wrongCode(actor: Actor): Promise<RportError> {
    const count = (this.#wrongCodes.get(actor) ?? 0) + 1;
    this.#wrongCodes.set(actor, count);
    const error = new RportError("UNAUTHORIZED", "The code is wrong, or was used before.");
    if (count < WRONG_CODES_MAX) return error;
    const ended = this.#deps.entrances.endSession(actor.name, Number(actor.tokenId));
    // It has ended also where the disk does not take it.
    await ended.catch(() => undefined);
    return error;
  }

  #recordOf(actor: Actor): UserRecord {
    const record = this.#deps.ledger.get(actor.name)?.record;
    if (record !== undefined) return record;
    throw new RportError("UNAUTHORIZED", "There is no such user any more.");
  }

  /** What the new password is kept as, if there is one; fails where the old one has expired. */
  async #newPassword(
    { record, accountId }: CheckedUser,
    { newPassword }: TypedCredentials,
    { address }: TriesFrom,
  ): Promise<PasswordRecord | undefined> {
    if (newPassword !== undefined && newPassword !== "") {
      const isAdministrator = record.groups.some((name) => name === ADMINISTRATORS);
      const name = record.username;
      this.#deps.changes.spend({ accountId, name, scope: "read+write", isAdministrator });
      return await this.#deps.passwords.derive(newPassword, address);
    }
    if (!record.password_expired) return undefined;
    throw new RportError("UNAUTHORIZED", EXPIRED);
  }

  /** The password that came with the old one counts only now: a code was owed for it, too. */
  #waitingPassword(actor: Actor, keepSession: number): readonly Edit[] {
    const { username: user, password_expired: hasExpired } = this.#recordOf(actor);
    const waiting = this.#newPasswords.get(actor.tokenId);
    if (waiting === undefined) {
      if (hasExpired) throw new RportError("UNAUTHORIZED", EXPIRED);
      return [];
    }
    const { password, replaces } = waiting;
    const to = { password, password_expired: false };
    const atMs = this.#deps.clock.now();
    return [{ kind: "changeUser", user, to, atMs, keepSession, replaces }];
  }

  #owedFactor({ record: { totp } }: CheckedUser): "exists" | "pending" | undefined {
    if (totp?.confirmed === true) return "exists";
    return this.#deps.totpRequired ? "pending" : undefined;
  }

  async #begin(
    { username: user, password: old }: UserRecord,
    password: PasswordRecord | undefined,
    { from, scope }: { readonly from: SignInFrom; readonly scope: "full" | "second-factor" },
  ): Promise<string> {
    const to = { password, password_expired: false };
    const atMs = this.#deps.clock.now();
    const now = scope === "full" ? password : undefined;
    const replaces = old?.verifier;
    const change: Edit = { kind: "changeUser", user, to, atMs, replaces };
    const changes = now === undefined ? [] : [change];
    // Whoever changed it meanwhile, because somebody else knows it, is not to be overruled.
    const account = this.#deps.ledger.get(user);
    if (account === undefined || account.record.password?.verifier !== replaces) {
      throw new RportError("UNAUTHORIZED", "The password was changed meanwhile.");
    }
    const verifier = (now ?? old)?.verifier;
    const { id, token } = await this.#beginWith({ ...from, user, scope, verifier }, changes);
    if (scope !== "full" && password !== undefined) {
      this.#newPasswords.set(id, { password, replaces });
    }
    const { signIns } = this.#deps;
    const facts = { tokenId: id, accountId: account.id, name: user };
    signIns.signedIn(facts, from.address, "password");
    if (now !== undefined) await signIns.passwordChanged(user, from.address);
    return token;
  }

  /** What was so when it was checked may not be so any more: then nothing was shown. */
  async #beginWith(
    session: Parameters<Sessions["begin"]>[0],
    first: readonly Edit[],
  ): Promise<BegunSession> {
    try {
      return await this.#deps.sessions.begin(session, first);
    } catch (caught) {
      if (!(caught instanceof RportError) || caught.status >= 500) throw caught;
      throw new RportError("UNAUTHORIZED", caught.message, { cause: caught });
    }
  }
}

/** A code that somebody shows, and what for. */
export interface ShownCode {
  readonly code: string;
  readonly purpose: "code" | "removal";
}

/** A user whose password was shown. */
export interface CheckedUser {
  readonly record: UserRecord;
  readonly accountId: string;
}

/** The edit that takes a code, so that it is taken once; the session goes on when it was the first. */
export function editOf(
  user: UserRecord["username"],
  taken: TakenCode,
  keepSession?: number | undefined,
): Edit {
  return taken.kind === "code"
    ? { kind: "takeCode", user, step: taken.step, keepSession }
    : { kind: "takeRecoveryCode", user, hash: taken.hash };
}
