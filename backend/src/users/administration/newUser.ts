import { RportError } from "@rport/protocol/errors";
import { ADMINISTRATORS } from "@rport/protocol/people/right";
import type { GroupName, UserName } from "@rport/protocol/people/user";
import { toTime } from "../../platform/clock.ts";
import { accountId } from "../../platform/random.ts";
import { isLocalName } from "../../store/edits/personEdit.ts";
import type { PasswordRecord, UserRecord } from "../../store/records/userRecord.ts";
import type { AccountLedger } from "../accounts/accountLedger.ts";

/** What is known of somebody who becomes a user. */
export interface NewUserFacts {
  readonly username: UserName;
  readonly display_name: string;
  readonly groups: readonly GroupName[];
  readonly password: PasswordRecord;
  readonly password_expired: boolean;
  readonly two_fa_send_to: string;
  readonly createdBy: string;
  readonly atMs: number;
}

/** The record of somebody who has never signed in. */
export function newUser({ atMs, createdBy, groups, ...facts }: NewUserFacts): UserRecord {
  return {
    ...facts,
    groups: [...groups],
    disabled: false,
    totp: null,
    created_at: toTime(atMs),
    created_by: createdBy,
    last_sign_in_at: null,
    account_id: accountId(),
  };
}

/** Whether there is such a group of users. */
export function isGroup(ledger: Pick<AccountLedger, "group">, name: GroupName): boolean {
  return isAdministrators(name) || ledger.group(name) !== undefined;
}

/** Throws `BAD_REQUEST` unless there are all these groups: one that comes later would give rights. */
export function requireGroups(
  ledger: Pick<AccountLedger, "group">,
  names: readonly GroupName[],
): void {
  const missing = names.find((name) => !isGroup(ledger, name));
  if (missing === undefined) return;
  throw new RportError("BAD_REQUEST", `There is no group "${missing}".`);
}

/** Throws when somebody has the name: `BAD_REQUEST`, as in RPort, unless another code is given. */
export function requireFreeName(
  ledger: Pick<AccountLedger, "get">,
  name: UserName,
  taken: "BAD_REQUEST" | "ERR_CODE_ALREADY_EXIST" = "BAD_REQUEST",
): void {
  if (isLocalName(name)) {
    throw new RportError("BAD_REQUEST", `"${name}" is the person at the server's own machine.`);
  }
  if (ledger.get(name) === undefined) return;
  throw new RportError(taken, `There is a user "${name}" already.`);
}

function isAdministrators(name: string): boolean {
  return name === ADMINISTRATORS;
}
