import { RportError } from "@rport/protocol/errors";
import type { EndpointInput } from "@rport/protocol/http";
import type { Ended, UserName } from "@rport/protocol/people/user";
import type { Clock } from "../../platform/clock.ts";
import { noSuchUser, type UserChanges } from "../../store/edits/accountEdit.ts";
import type { EditStore } from "../../store/edits/editStore.ts";
import type { PasswordRecord } from "../../store/records/userRecord.ts";
import type { AccountEntry } from "../accounts/accountEntry.ts";
import type { AccountLedger } from "../accounts/accountLedger.ts";
import type { Actor } from "../actor.ts";
import { requireAdministrator } from "../rights.ts";
import type { Endings } from "./endings.ts";
import { newUser, requireFreeName, requireGroups } from "./newUser.ts";

/** Makes what is kept of a password. Throws `BAD_REQUEST` when it cannot be one. */
export type MakePassword = (text: string) => Promise<PasswordRecord>;

/** What the administration of users needs. */
export interface UserAdministrationDeps {
  readonly ledger: AccountLedger;
  readonly edits: Pick<EditStore, "commit">;
  readonly endings: Endings;
  readonly makePassword: MakePassword;
  readonly clock: Pick<Clock, "now">;
}

/**
 * What administrators do with users. The store refuses what would leave no administrator, however
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
    requireAdministrator(actor);
    const to: UserChanges = { ...given, username, password };
    await edits.commit([{ kind: "changeUser", user, to, atMs: clock.now() }]);
  }

  /** Removes the user with all that is open. Throws `NOT_FOUND`, and `CONFLICT` for the last administrator. */
  async remove(user: UserName): Promise<Ended> {
    this.#need(user);
    return await this.#deps.endings.by({ kind: "removeUser", user }, user);
  }

  /** What `disable` would end. Throws `NOT_FOUND`. */
  previewDisable(user: UserName): Ended {
    this.#need(user);
    return this.#deps.endings.preview(user);
  }

  /** Shuts the user out until `enable`. Throws as `remove`, and `NOT_DURABLE`. */
  async disable(user: UserName): Promise<Ended> {
    this.#need(user);
    const to = { disabled: true };
    const edit = { kind: "changeUser" as const, user, to, atMs: this.#deps.clock.now() };
    return await this.#deps.endings.byDisabling(edit, user);
  }

  /** Lets the user sign in again. Throws `NOT_FOUND`. */
  async enable(user: UserName): Promise<void> {
    this.#need(user);
    const { edits, clock } = this.#deps;
    const to = { disabled: false };
    await edits.commit([{ kind: "changeUser", user, to, atMs: clock.now() }]);
  }

  /** Takes the second factor away. Throws `NOT_FOUND` where there is no such user, or no factor. */
  async removeTotp(user: UserName): Promise<void> {
    if (this.#need(user).record.totp === null) {
      throw new RportError("NOT_FOUND", "The user has no second factor.");
    }
    await this.#deps.edits.commit([{ kind: "removeTotp", user }]);
  }

  /** Throws `NOT_FOUND` when there is no such user. */
  require(user: UserName): void {
    this.#need(user);
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
