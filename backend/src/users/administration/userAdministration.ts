import { RportError } from "@rport/protocol/errors";
import type { EndpointInput } from "@rport/protocol/http";
import type { Ended, UserName } from "@rport/protocol/people/user";
import type { Clock } from "../../platform/clock.ts";
import { noSuchUser, type UserChanges } from "../../store/edits/accountEdit.ts";
import type { EditStore } from "../../store/edits/editStore.ts";
import { lastAdministrator } from "../../store/edits/personEdit.ts";
import type { PasswordRecord } from "../../store/records/userRecord.ts";
import type { AccountEntry } from "../accounts/accountEntry.ts";
import type { AccountLedger } from "../accounts/accountLedger.ts";
import type { Withdrawal } from "../accounts/withdrawals.ts";
import type { Actor } from "../actor.ts";
import { requireAdministrator } from "../rights.ts";
import { hasAdministrator, isAdministrator } from "./administrators.ts";
import type { Endings } from "./endings.ts";
import { newUser, requireFreeName, requireGroups } from "./newUser.ts";

/** Changes of users that take turns: of their names, their groups, and whether they may come in. */
export const PEOPLE_TURN = "people";

/** For so long whoever is to be shut out is found by the name before, too. */
const RENAMED_MS = 5 * 60_000;

/** Makes what is kept of a password. Throws `BAD_REQUEST` when it cannot be one. */
export type MakePassword = (text: string) => Promise<PasswordRecord>;

/** What the administration of users needs. */
export interface UserAdministrationDeps {
  readonly ledger: AccountLedger;
  readonly edits: Pick<EditStore, "commit" | "turn">;
  readonly endings: Endings;
  readonly makePassword: MakePassword;
  readonly clock: Pick<Clock, "now">;
}

/**
 * What administrators do with users. Whoever is shut out, or loses sessions, is found by a name of the
 * last minutes, too. The store refuses what would leave no administrator, however
 * many ask at once.
 */
export class UserAdministration {
  readonly #deps: UserAdministrationDeps;

  constructor(deps: UserAdministrationDeps) {
    this.#deps = deps;
  }

  /** Throws `BAD_REQUEST` for a name that is taken, a group that is none, and a password that is weak. */
  async create(body: EndpointInput<"createUser">["body"], actor: Actor): Promise<void> {
    const { ledger, edits, makePassword, clock } = this.#deps;
    const { password: text, ...facts } = body;
    requireFreeName(ledger, facts.username);
    requireGroups(ledger, facts.groups);
    const password = await makePassword(text);
    requireAdministrator(actor);
    const record = newUser({ ...facts, password, createdBy: actor.name, atMs: clock.now() });
    await edits.commit([{ kind: "addUser", record }]);
  }

  /**
   * Changes what is given; tokens and sessions go along with another name, and sessions end with
   * another or an expired password. Throws `NOT_FOUND`, further as `create`, and `CONFLICT` when it
   * would leave no administrator.
   */
  async update(
    user: UserName,
    body: EndpointInput<"updateUser">["body"],
    actor: Actor,
  ): Promise<void> {
    const { ledger, edits, makePassword, clock } = this.#deps;
    const { password: text = "", ...given } = body;
    this.#need(user);
    const username = given.username === user ? undefined : given.username;
    requireChange({ ...given, username, text });
    if (username !== undefined) requireFreeName(ledger, username);
    if (given.groups !== undefined) requireGroups(ledger, given.groups);
    const password = text === "" ? undefined : await makePassword(text);
    const to: UserChanges = { ...given, username, password };
    await this.#inTurn(async () => {
      requireAdministrator(actor);
      if (given.groups !== undefined && !isAdministrator({ groups: given.groups, disabled: false }))
        this.#needOther(user);
      await edits.commit([{ kind: "changeUser", user, to, atMs: clock.now() }]);
    });
  }

  /**
   * Removes the user with all that is open. Throws `NOT_FOUND`, `CONFLICT` for the last
   * administrator, and `NOT_DURABLE` when the disk does not take it: then the user is gone until a
   * restart.
   */
  async remove(user: UserName): Promise<Ended> {
    return await this.#endInTurn(user, (entry) => ({
      entry,
      edits: (name) => [{ kind: "removeUser", user: name }],
      done: `${user} is removed`,
    }));
  }

  /** What `disable` would end. Throws `NOT_FOUND`. */
  previewDisable(user: UserName): Ended {
    return this.#deps.endings.preview(this.require(user));
  }

  /** Shuts the user out until `enable`. Throws as `remove`. */
  async disable(user: UserName): Promise<Ended> {
    const to = { disabled: true };
    const atMs = this.#deps.clock.now();
    return await this.#endInTurn(user, (entry) => ({
      entry,
      edits: (name) => [{ kind: "changeUser", user: name, to, atMs }],
      done: `${user} is disabled`,
    }));
  }

  /** Lets the user sign in again. Throws `NOT_FOUND`. */
  async enable(user: UserName): Promise<void> {
    await this.#inTurn(async () => {
      this.#need(user);
      const { edits, clock } = this.#deps;
      const to = { disabled: false };
      await edits.commit([{ kind: "changeUser", user, to, atMs: clock.now() }]);
    });
  }

  /** Takes the second factor away. Throws `NOT_FOUND` where there is no such user, or no factor. */
  async removeTotp(user: UserName): Promise<void> {
    if (this.#need(user).record.totp === null) {
      throw new RportError("NOT_FOUND", "The user has no second factor.");
    }
    await this.#deps.edits.commit([{ kind: "removeTotp", user }]);
  }

  /**
   * The name that the user has now, where it was another one a few minutes ago. Throws `NOT_FOUND` when
   * there is no such user.
   */
  require(user: UserName): UserName {
    return this.#find(user).record.username;
  }

  /**
   * One change of who may what after the other: what is in force before it is on disk would
   * otherwise be decided on what is about to change.
   */
  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    return this.#deps.edits.turn(PEOPLE_TURN, change);
  }

  /** Nobody waits for the end of it, nor for the disk: it is in force when its turn is over. */
  async #endInTurn(
    user: UserName,
    withdrawalOf: (entry: AccountEntry) => Withdrawal,
  ): Promise<Ended> {
    const { endings } = this.#deps;
    const { ending } = await this.#inTurn(async () => ({
      ending: endings.by(withdrawalOf(this.#needOther(user))),
    }));
    return await ending;
  }

  /** Throws `CONFLICT` when nobody else administers. */
  #needOther(user: UserName): AccountEntry {
    const entry = this.#find(user);
    const others = this.#deps.ledger.all().filter((one) => one !== entry);
    const isLast = isAdministrator(entry.record) && !hasAdministrator({ all: () => others });
    if (isLast) throw lastAdministrator();
    return entry;
  }

  /** Also by a name that somebody gave up only just: who changes it each second is found all the same. */
  #find(user: UserName): AccountEntry {
    const { ledger, clock } = this.#deps;
    const entry = ledger.find(user, clock.now() - RENAMED_MS);
    if (entry === undefined) throw noSuchUser();
    return entry;
  }

  #need(user: UserName): AccountEntry {
    const entry = this.#deps.ledger.get(user);
    if (entry === undefined) throw noSuchUser();
    return entry;
  }
}

function requireChange(given: Readonly<Record<string, unknown>>): void {
  const isChange = ([, value]: [string, unknown]) => value !== undefined && value !== "";
  if (Object.entries(given).some(isChange)) return;
  throw new RportError("BAD_REQUEST", "There is nothing to change.");
}
