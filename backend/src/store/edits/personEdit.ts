import { RportError } from "@rport/protocol/errors";
import type { ClientGroupId } from "@rport/protocol/people/clientGroup";
import { ADMINISTRATORS } from "@rport/protocol/people/right";
import type { TokenPrefix } from "@rport/protocol/people/token";
import type { GroupName, UserName } from "@rport/protocol/people/user";
import { toTime } from "../../platform/clock.ts";
import type { ClientGroupRecord } from "../records/clientGroupRecord.ts";
import type { GroupRecord } from "../records/groupRecord.ts";
import type { SessionRecord } from "../records/sessionRecord.ts";
import type { TokenRecord } from "../records/tokenRecord.ts";
import type { UserRecord } from "../records/userRecord.ts";
import {
  type Account,
  type AccountEdit,
  editAccount,
  isAccountEdit,
  noSuchUser,
} from "./accountEdit.ts";

/** How many there are at most of each; a change of more takes too long to write. */
export const USERS_MAX = 5_000;
export const GROUPS_MAX = 500;
export const CLIENT_GROUPS_MAX = 1_000;

/** Everything that is kept of people, and of who sees what. */
export interface People {
  readonly users: readonly UserRecord[];
  readonly user_groups: readonly GroupRecord[];
  readonly tokens: readonly TokenRecord[];
  readonly sessions: readonly SessionRecord[];
  readonly client_groups: readonly ClientGroupRecord[];
}

/** A token that was used last at that time, from that address. */
export interface TokenUse {
  readonly prefix: TokenPrefix;
  readonly atMs: number;
  readonly from: string;
}

/** A session that was used last at that time, and how long it lasts since. */
export interface SessionUse {
  readonly session: number;
  readonly atMs: number;
  readonly endsAtMs: number;
  readonly from: string;
}

/** One change of what is kept of people. */
export type PersonEdit =
  | AccountEdit
  | { readonly kind: "addUser"; readonly record: UserRecord }
  /** The user goes with tokens and sessions. */
  | { readonly kind: "removeUser"; readonly user: UserName }
  /** The group is as the record says, also where there was none. */
  | { readonly kind: "putGroup"; readonly record: GroupRecord }
  /** The group goes, everybody leaves it, and no group of clients lists it any more. */
  | { readonly kind: "removeGroup"; readonly group: GroupName }
  | { readonly kind: "addClientGroup"; readonly record: ClientGroupRecord }
  /** The group is as the record says, also where there was none. */
  | { readonly kind: "putClientGroup"; readonly record: ClientGroupRecord }
  | { readonly kind: "removeClientGroup"; readonly group: ClientGroupId }
  /** What was used last, many at a time; nothing for what is gone. */
  | {
      readonly kind: "uses";
      readonly tokens: readonly TokenUse[];
      readonly sessions: readonly SessionUse[];
    };

const KINDS = {
  addUser: true,
  removeUser: true,
  putGroup: true,
  removeGroup: true,
  addClientGroup: true,
  putClientGroup: true,
  removeClientGroup: true,
  uses: true,
} satisfies Readonly<Record<Exclude<PersonEdit["kind"], AccountEdit["kind"]>, true>>;

/** Whether the edit changes what is kept of people. */
export function isPersonEdit(edit: { readonly kind: string }): edit is PersonEdit {
  return Object.hasOwn(KINDS, edit.kind) || isAccountEdit(edit);
}

/**
 * What is kept of people after an edit. Throws `ERR_CODE_ALREADY_EXIST` for a name of a user that
 * is taken; `CONFLICT` for what would leave nobody who may administer; `BAD_REQUEST` for a group of users that is none, or none any
 * more: one of that name that comes later would give its rights; `NOT_FOUND` for a change of what is gone; further as
 * `editAccount` does.
 */
export function editPeople(people: People, edit: PersonEdit): People {
  const next = edited(people, edit);
  requireGroups(next, groupsGiven(edit));
  if (hasAdministrator(people) && !hasAdministrator(next)) throw lastAdministrator();
  return next;
}

function edited(people: People, edit: PersonEdit): People {
  if (isAccountEdit(edit)) return withAccount(people, edit);
  switch (edit.kind) {
    case "addUser":
      return withUser(people, edit.record);
    case "removeUser":
      return withoutUser(people, edit.user);
    case "putGroup":
      return { ...people, user_groups: putGroup(people.user_groups, edit.record) };
    case "removeGroup":
      return withoutGroup(people, edit.group);
    case "addClientGroup":
    case "putClientGroup":
      return { ...people, client_groups: putClientGroup(people.client_groups, edit) };
    case "removeClientGroup":
      return { ...people, client_groups: withoutClientGroup(people.client_groups, edit.group) };
    case "uses":
      return withUses(people, edit);
  }
}

/** The token after a use. */
export function usedToken(record: TokenRecord, { atMs, from }: TokenUse): TokenRecord {
  return { ...record, last_used_at: toTime(atMs), last_used_from: from };
}

/** The session after a use. */
export function usedSession(record: SessionRecord, use: SessionUse): SessionRecord {
  const { atMs, endsAtMs, from } = use;
  const times = { last_access_at: toTime(atMs), expires_at: toTime(endsAtMs) };
  return { ...record, ...times, ip_address: from };
}

/** The user after a group has gone. */
export function leftGroup(record: UserRecord, group: GroupName): UserRecord {
  if (!record.groups.includes(group)) return record;
  return { ...record, groups: record.groups.filter((name) => name !== group) };
}

/** The group of clients after a group of users has gone. */
export function unlistedFor(record: ClientGroupRecord, group: GroupName): ClientGroupRecord {
  const { allowed_user_groups: listed } = record;
  if (!listed.includes(group)) return record;
  return { ...record, allowed_user_groups: listed.filter((name) => name !== group) };
}

function withUser(people: People, record: UserRecord): People {
  requireRoom(people.users.length, USERS_MAX, "users");
  refuseTakenName(people, record.username);
  return { ...people, users: [...people.users, record] };
}

function withoutUser(people: People, user: UserName): People {
  if (!people.users.some(({ username }) => username === user)) throw noSuchUser();
  const isOther = ({ username }: { readonly username: UserName }) => username !== user;
  return {
    ...people,
    users: people.users.filter(isOther),
    tokens: people.tokens.filter(isOther),
    sessions: people.sessions.filter(isOther),
  };
}

function withAccount(people: People, edit: AccountEdit): People {
  const { user } = edit;
  const record = people.users.find(({ username }) => username === user);
  if (record === undefined) throw noSuchUser();
  const isTheirs = ({ username }: { readonly username: UserName }) => username === user;
  const before: Account = {
    record,
    tokens: people.tokens.filter(isTheirs),
    sessions: people.sessions.filter(isTheirs),
  };
  const after = editAccount(before, edit);
  if (after.record.username !== user) refuseTakenName(people, after.record.username);
  return {
    ...people,
    users: people.users.map((one) => (one === record ? after.record : one)),
    tokens: [...people.tokens.filter((token) => !isTheirs(token)), ...after.tokens],
    sessions: [...people.sessions.filter((session) => !isTheirs(session)), ...after.sessions],
  };
}

function putGroup(groups: readonly GroupRecord[], record: GroupRecord): readonly GroupRecord[] {
  refuseAdministrators(record.name);
  const others = groups.filter(({ name }) => name !== record.name);
  requireRoom(others.length, GROUPS_MAX, "groups");
  return [...others, record];
}

function withoutGroup(people: People, group: GroupName): People {
  refuseAdministrators(group);
  if (!people.user_groups.some(({ name }) => name === group)) {
    throw new RportError("NOT_FOUND", "There is no such group.");
  }
  return {
    ...people,
    users: people.users.map((record) => leftGroup(record, group)),
    user_groups: people.user_groups.filter(({ name }) => name !== group),
    client_groups: people.client_groups.map((record) => unlistedFor(record, group)),
  };
}

function putClientGroup(
  groups: readonly ClientGroupRecord[],
  { kind, record }: { readonly kind: string; readonly record: ClientGroupRecord },
): readonly ClientGroupRecord[] {
  const others = groups.filter(({ id }) => id !== record.id);
  if (kind === "addClientGroup" && others.length < groups.length) {
    throw new RportError("CONFLICT", `There is a group of clients "${record.id}" already.`);
  }
  requireRoom(others.length, CLIENT_GROUPS_MAX, "groups of clients");
  return [...others, record];
}

function withoutClientGroup(
  groups: readonly ClientGroupRecord[],
  group: ClientGroupId,
): readonly ClientGroupRecord[] {
  const others = groups.filter(({ id }) => id !== group);
  if (others.length < groups.length) return others;
  throw new RportError("NOT_FOUND", "There is no such group of clients.");
}

function withUses(people: People, edit: Extract<PersonEdit, { kind: "uses" }>): People {
  const tokens = new Map(edit.tokens.map((use) => [use.prefix, use]));
  const sessions = new Map(edit.sessions.map((use) => [use.session, use]));
  return {
    ...people,
    tokens: people.tokens.map((record) => {
      const use = tokens.get(record.prefix);
      return use === undefined ? record : usedToken(record, use);
    }),
    sessions: people.sessions.map((record) => {
      const use = sessions.get(record.session_id);
      return use === undefined ? record : usedSession(record, use);
    }),
  };
}

/** The groups of users that an edit gives something to. */
function groupsGiven(edit: PersonEdit): readonly GroupName[] {
  switch (edit.kind) {
    case "addUser":
      return edit.record.groups;
    case "changeUser":
      return edit.to.groups ?? [];
    case "addClientGroup":
    case "putClientGroup":
      return edit.record.allowed_user_groups;
    default:
      return [];
  }
}

function requireGroups({ user_groups: known }: People, names: readonly GroupName[]): void {
  const isKnown = (group: GroupName) =>
    isAdministrators(group) || known.some(({ name }) => name === group);
  const missing = names.find((group) => !isKnown(group));
  if (missing !== undefined) {
    throw new RportError("BAD_REQUEST", `There is no group "${missing}".`);
  }
}

function hasAdministrator({ users }: People): boolean {
  return users.some(({ groups, disabled }) => !disabled && groups.some(isAdministrators));
}

function isAdministrators(group: string): boolean {
  return group === ADMINISTRATORS;
}

/** What everybody says to what would leave no administrator. */
export function lastAdministrator(): RportError {
  return new RportError(
    "CONFLICT",
    "This is the last administrator: without one, nobody could manage users any more.",
  );
}

/** Whether it is what the audit log calls the person of local mode, who has no account. */
export function isLocalName(name: string): boolean {
  return name === "local";
}

function refuseTakenName({ users }: People, name: UserName): void {
  if (!isLocalName(name) && !users.some(({ username }) => username === name)) return;
  throw new RportError("ERR_CODE_ALREADY_EXIST", `There is a user "${name}" already.`);
}

function refuseAdministrators(group: string): void {
  if (!isAdministrators(group)) return;
  throw new RportError("CONFLICT", `The group "${group}" cannot be changed or removed.`);
}

function requireRoom(count: number, max: number, what: string): void {
  if (count < max) return;
  throw new RportError("CONFLICT", `There are ${max} ${what}, which is the most there can be.`);
}
