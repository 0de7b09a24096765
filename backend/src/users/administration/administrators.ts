import { ADMINISTRATORS } from "@rport/protocol/people/right";
import type { UserRecord } from "../../store/records/userRecord.ts";
import type { AccountLedger } from "../accounts/accountLedger.ts";

/** Whether a user may everything, once signed in. */
export function isAdministrator({
  groups,
  disabled,
}: Pick<UserRecord, "groups" | "disabled">): boolean {
  return !disabled && groups.some((name) => String(name) === ADMINISTRATORS);
}

/** Whether there is anybody who may manage users. */
export function hasAdministrator(ledger: Pick<AccountLedger, "all">): boolean {
  return ledger.all().some(({ record }) => isAdministrator(record));
}
