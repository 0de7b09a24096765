import { RportError } from "@rport/protocol/errors";
import {
  groupListSchema,
  type Me,
  type UserName,
  userNameSchema,
} from "@rport/protocol/people/user";
import type { Clock } from "../../platform/clock.ts";
import { noSuchUser, type UserChanges } from "../../store/edits/accountEdit.ts";
import type { EditStore } from "../../store/edits/editStore.ts";
import type { UserRecord } from "../../store/records/userRecord.ts";
import type { AccountLedger } from "../accounts/accountLedger.ts";
import type { Actor } from "../actor.ts";
import { PEOPLE_TURN } from "../administration/userAdministration.ts";
import { requireWorking } from "../rights.ts";
import type { Freshness } from "./freshness.ts";
import type { TriesFrom } from "./guessing.ts";
import { provePassword } from "./passwordProof.ts";
import type { Passwords } from "./passwords.ts";
import type { Renames } from "./renames.ts";
import type { SignIn } from "./signIn.ts";

/** What somebody changes about themselves; what is absent or empty stays. */
export interface OwnChanges {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly old_password?: string | undefined;
  readonly two_fa_send_to?: string | undefined;
  readonly display_name?: string | undefined;
}

/** What one's own account needs. */
export interface OwnAccountDeps {
  readonly ledger: AccountLedger;
  readonly store: Pick<EditStore, "commit" | "turn">;
  readonly passwords: Passwords;
  readonly signIn: SignIn;
  readonly freshness: Freshness;
  readonly renames: Pick<Renames, "spend">;
  readonly clock: Pick<Clock, "now">;
}

/** What users do about themselves. */
export class OwnAccount {
  readonly #deps: OwnAccountDeps;

  constructor(deps: OwnAccountDeps) {
    this.#deps = deps;
  }

  /** Whoever asks, also where there is no account behind. */
  show(actor: Actor): Me {
    const record = actor.hasAccount ? this.need(actor) : undefined;
    return {
      username: record?.username ?? userNameSchema.parse(actor.name),
      groups: groupListSchema.parse([...actor.groups]),
      two_fa_send_to: record?.two_fa_send_to ?? "",
      group_permissions_enabled: true,
      effective_user_permissions: actor.permissions,
      display_name: record?.display_name ?? "",
      administrator: actor.isAdministrator,
      totp: record?.totp?.confirmed === true,
      recovery_codes: record?.totp?.recovery_hashes.length ?? 0,
      account: actor.hasAccount,
    };
  }

  /** The user behind the actor; fails with `NOT_FOUND` where there is no account. */
  need(actor: Actor): UserRecord {
    const record = actor.hasAccount ? this.#deps.ledger.get(actor.name)?.record : undefined;
    if (record !== undefined) return record;
    if (actor.hasAccount) throw noSuchUser();
    throw new RportError("NOT_FOUND", "There is no account: this is the token of local mode.");
  }

  /** The session that was shown; a personal token is none. */
  sessionOf({ tokenId }: Actor): number | undefined {
    const session = Number(tokenId);
    return this.#deps.ledger.ownerOfSession(session) === undefined ? undefined : session;
  }

  /**
   * Fails with `FORBIDDEN` when a new password comes without the old one, or another name without it
   * where the session is not fresh: the owner, who knows nothing of it, would be kept out. Fails with
   * `TOO_MANY_REQUESTS` as `Renames.spend`.
   */
  async change(actor: Actor, given: OwnChanges, from: TriesFrom): Promise<void> {
    const { passwords } = this.#deps;
    const { username: user } = this.need(actor);
    const username = otherName(given.username, user);
    const text = given.password || undefined;
    if (text !== undefined) passwords.require(text);
    const takesProof = text !== undefined || username !== undefined;
    const replaces = takesProof ? await this.#proof(actor, given, from) : undefined;
    const password = text === undefined ? undefined : await passwords.derive(text, from.address);
    requireWorking(actor);
    if (username !== undefined) this.#deps.renames.spend(actor);
    const to: UserChanges = {
      username,
      two_fa_send_to: given.two_fa_send_to || undefined,
      display_name: given.display_name || undefined,
      password,
      password_expired: password === undefined ? undefined : false,
    };
    const atMs = this.#deps.clock.now();
    const keepSession = this.sessionOf(actor);
    const change = { kind: "changeUser", user, to, atMs, keepSession, replaces } as const;
    await this.#deps.store.turn(PEOPLE_TURN, () => this.#deps.store.commit([change]));
  }

  /** The verifier of the password that was shown; undefined where a fresh session does without. */
  async #proof(
    actor: Actor,
    { password, old_password: old }: OwnChanges,
    from: TriesFrom,
  ): Promise<string | undefined> {
    const { freshness, signIn } = this.#deps;
    if (old) {
      return await provePassword(signIn, actor, {
        password: old,
        from,
        wrong: "The old password is wrong.",
      });
    }
    if (password) throw new RportError("FORBIDDEN", "The old password is missing.");
    freshness.require(
      actor,
      'Show the password with the new name ({"old_password": "..."}), or sign in anew.',
    );
    return undefined;
  }
}

/** The name that is asked for, unless it is the one that there is. */
function otherName(asked: string | undefined, user: UserName): UserName | undefined {
  if (!asked || asked === user) return undefined;
  const parsed = userNameSchema.safeParse(asked);
  if (parsed.success) return parsed.data;
  throw new RportError("BAD_REQUEST", parsed.error.issues[0]?.message ?? "This is no name.");
}
