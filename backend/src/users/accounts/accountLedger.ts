import {
  ADMINISTRATORS,
  ALL_PERMISSIONS,
  NO_PERMISSIONS,
  PERMISSIONS,
  type Permissions,
} from "@rport/protocol/people/right";
import { RecentMap } from "../../platform/recentMap.ts";
import { type AccountEdit, isAccountEdit } from "../../store/edits/accountEdit.ts";
import type { Edit } from "../../store/edits/edit.ts";
import type { EditStore, StoredPeople } from "../../store/edits/editStore.ts";
import { isPersonEdit, type PersonEdit, unlistedFor } from "../../store/edits/personEdit.ts";
import type { ClientGroupRecord } from "../../store/records/clientGroupRecord.ts";
import type { GroupRecord } from "../../store/records/groupRecord.ts";
import type { UserRecord } from "../../store/records/userRecord.ts";
import { AccountEntry } from "./accountEntry.ts";
import { LiveActors } from "./liveActors.ts";

/** Somebody who had another name until then. */
interface Former {
  readonly entry: AccountEntry;
  readonly atMs: number;
}

/** Hears whose groups, or whose groups' permissions, are others now. */
export type RightsListener = (users: ReadonlySet<string>) => void;

/** Names that somebody has had of late, which are remembered. */
const FORMER_MAX = 1_000;

/**
 * Every user with tokens and sessions, every group of users and of clients, in memory, where
 * requests look. It follows the edits of the store, whoever makes them, and changes in no other way.
 */
export class AccountLedger {
  /** Whoever is shown by a token or a session now. */
  readonly actors: LiveActors;
  readonly #entries = new Map<string, AccountEntry>();
  readonly #byAccount = new Map<string, AccountEntry>();
  readonly #ofToken = new Map<string, AccountEntry>();
  readonly #ofSession = new Map<number, AccountEntry>();
  readonly #groups = new Map<string, GroupRecord>();
  readonly #clientGroups = new Map<string, ClientGroupRecord>();
  readonly #listeners: RightsListener[] = [];
  /** Who had a name last, and until when. */
  readonly #former = new RecentMap<string, Former>(FORMER_MAX);

  private constructor(stored: StoredPeople) {
    this.actors = new LiveActors((groups) => this.permissionsOf(groups));
    const tokens = Map.groupBy(stored.tokens, ({ username }) => username);
    const sessions = Map.groupBy(stored.sessions, ({ username }) => username);
    for (const record of stored.users) {
      const { username } = record;
      this.#enter(record, { tokens: tokens.get(username), sessions: sessions.get(username) });
    }
    for (const record of stored.user_groups) this.#groups.set(record.name, record);
    for (const record of stored.client_groups) this.#clientGroups.set(record.id, record);
  }

  /** Reads everything, and follows what changes from then on. */
  static open(store: Pick<EditStore, "readPeople" | "follow">): AccountLedger {
    const ledger = new AccountLedger(store.readPeople());
    store.follow((edits) => ledger.#followAll(edits));
    return ledger;
  }

  /** Tells the listener, in the turn of an edit, who may something else since. */
  watchRights(listener: RightsListener): void {
    this.#listeners.push(listener);
  }

  /** How many users there are. */
  get size(): number {
    return this.#entries.size;
  }

  get(name: string): AccountEntry | undefined {
    return this.#entries.get(name);
  }

  /** The same by the id of the account. */
  account(id: string): AccountEntry | undefined {
    return this.#byAccount.get(id);
  }

  /**
   * The same as `get`; where nobody has the name now, whoever has had it since then: who is to be shut out
   * does not escape with another name.
   */
  find(name: string, sinceMs: number): AccountEntry | undefined {
    const entry = this.get(name);
    const former = this.#former.get(name);
    if (entry !== undefined || former === undefined || former.atMs < sinceMs) return entry;
    const isThere = this.get(former.entry.record.username) === former.entry;
    return isThere ? former.entry : undefined;
  }

  /** All users by name. */
  all(): AccountEntry[] {
    return [...this.#entries.values()].sort((one, other) =>
      one.record.username < other.record.username ? -1 : 1,
    );
  }

  /** Whose token has this prefix, also when it was ended. */
  ownerOfToken(prefix: string): AccountEntry | undefined {
    return this.#ofToken.get(prefix);
  }

  /** Whose session this is, also when its time is over. */
  ownerOfSession(id: number): AccountEntry | undefined {
    return this.#ofSession.get(id);
  }

  /** The group, if it has permissions of its own; `Administrators` has not. */
  group(name: string): GroupRecord | undefined {
    return this.#groups.get(name);
  }

  groups(): readonly GroupRecord[] {
    return [...this.#groups.values()];
  }

  clientGroup(id: string): ClientGroupRecord | undefined {
    return this.#clientGroups.get(id);
  }

  clientGroups(): readonly ClientGroupRecord[] {
    return [...this.#clientGroups.values()];
  }

  /** What members of all these groups may do, now. */
  permissionsOf(groups: readonly string[]): Permissions {
    if (groups.includes(ADMINISTRATORS)) return ALL_PERMISSIONS;
    const given = groups.map((name) => this.#groups.get(name)?.permissions ?? NO_PERMISSIONS);
    const any = (name: (typeof PERMISSIONS)[number]) => given.some((one) => one[name]);
    // Asked for each request, of records that were parsed when they came in.
    return {
      ...NO_PERMISSIONS,
      ...Object.fromEntries(PERMISSIONS.map((name) => [name, any(name)])),
    };
  }

  #followAll(edits: readonly Edit[]): void {
    const changed = new Set<string>();
    for (const edit of edits) {
      if (!isPersonEdit(edit)) continue;
      for (const name of this.#follow(edit)) changed.add(name);
    }
    if (changed.size > 0) for (const listener of this.#listeners) listener(changed);
  }

  /** Answers with those whose rights are others now. */
  #follow(edit: PersonEdit): readonly string[] {
    if (isAccountEdit(edit)) return this.#edit(edit);
    switch (edit.kind) {
      case "addUser":
        this.#enter(edit.record, {});
        return [];
      case "removeUser":
        this.#remove(edit.user);
        return [];
      case "putGroup":
        this.#groups.set(edit.record.name, edit.record);
        return this.membersOf(edit.record.name);
      case "removeGroup":
        return this.#removeGroup(edit.group);
      case "addClientGroup":
      case "putClientGroup":
        this.#clientGroups.set(edit.record.id, edit.record);
        return [];
      case "removeClientGroup":
        this.#clientGroups.delete(edit.group);
        return [];
      case "uses":
        this.#use(edit);
        return [];
    }
  }

  /** Names of those who are in the group. */
  membersOf(group: string): readonly string[] {
    const inIt = this.all().filter(({ record }) => record.groups.some((name) => name === group));
    return inIt.map(({ record }) => record.username);
  }

  #edit(edit: AccountEdit): readonly string[] {
    const entry = this.#entries.get(edit.user);
    if (entry === undefined) return [];
    this.#unlist(entry);
    try {
      entry.apply(edit);
    } finally {
      this.#list(entry);
    }
    this.actors.review(entry);
    if (edit.kind === "changeUser" && entry.record.username !== edit.user) {
      this.#former.set(edit.user, { entry, atMs: edit.atMs });
    }
    const isOther = edit.kind === "changeUser" && edit.to.groups !== undefined;
    return isOther ? [entry.record.username] : [];
  }

  #removeGroup(group: Extract<PersonEdit, { kind: "removeGroup" }>["group"]): readonly string[] {
    const members = this.membersOf(group);
    this.#groups.delete(group);
    for (const [id, record] of this.#clientGroups) {
      this.#clientGroups.set(id, unlistedFor(record, group));
    }
    for (const name of members) this.#entries.get(name)?.leave(group);
    return members;
  }

  #use({ tokens, sessions }: Extract<PersonEdit, { kind: "uses" }>): void {
    for (const use of tokens) this.#ofToken.get(use.prefix)?.useToken(use);
    for (const use of sessions) this.#ofSession.get(use.session)?.useSession(use);
  }

  #enter(
    record: UserRecord,
    has: {
      readonly tokens?: StoredPeople["tokens"] | undefined;
      readonly sessions?: StoredPeople["sessions"] | undefined;
    },
  ): void {
    const { tokens = [], sessions = [] } = has;
    this.#list(new AccountEntry({ record, tokens, sessions }));
  }

  #remove(name: string): void {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    this.#unlist(entry);
    this.actors.endAll(entry);
  }

  #list(entry: AccountEntry): void {
    this.#entries.set(entry.record.username, entry);
    this.#byAccount.set(entry.id, entry);
    for (const { prefix } of entry.tokens()) this.#ofToken.set(prefix, entry);
    for (const { session_id: id } of entry.sessions()) this.#ofSession.set(id, entry);
  }

  #unlist(entry: AccountEntry): void {
    this.#entries.delete(entry.record.username);
    this.#byAccount.delete(entry.id);
    for (const { prefix } of entry.tokens()) this.#ofToken.delete(prefix);
    for (const { session_id: id } of entry.sessions()) this.#ofSession.delete(id);
  }
}
