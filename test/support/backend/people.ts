import { tokenPrefixSchema } from "@rport/protocol/people/token";
import { groupNameSchema, userNameSchema } from "@rport/protocol/people/user";
import type { SessionRecord } from "../../../backend/src/store/records/sessionRecord.ts";
import type { TokenRecord } from "../../../backend/src/store/records/tokenRecord.ts";
import type { UserRecord } from "../../../backend/src/store/records/userRecord.ts";

/** The start of the tests' people. */
export const BIRTH = "2030-01-01T00:00:00.000Z";

/** A user as they are kept. */
export function userRecord(name: string, given: Partial<UserRecord> = {}): UserRecord {
  return {
    username: userNameSchema.parse(name),
    display_name: "",
    groups: [],
    disabled: false,
    password: null,
    password_expired: false,
    totp: null,
    two_fa_send_to: "",
    created_at: BIRTH,
    created_by: "setup",
    last_sign_in_at: null,
    ...given,
  };
}

/** Groups by name. */
export function groups(...names: string[]) {
  return names.map((name) => groupNameSchema.parse(name));
}

/** A token as it is kept; its prefix is the number. */
export function tokenRecord(
  user: string,
  number: number,
  given: Partial<TokenRecord> = {},
): TokenRecord {
  return {
    prefix: tokenPrefixSchema.parse(String(number).padStart(8, "0")),
    username: userNameSchema.parse(user),
    name: `token ${number}`,
    scope: "read+write",
    sha256: "A".repeat(43),
    created_at: BIRTH,
    expires_at: null,
    last_used_at: null,
    last_used_from: "",
    ended_at: null,
    ...given,
  };
}

/** A session as it is kept. */
export function sessionRecord(
  user: string,
  id: number,
  given: Partial<SessionRecord> = {},
): SessionRecord {
  return {
    session_id: id,
    username: userNameSchema.parse(user),
    scope: "full",
    created_at: BIRTH,
    last_access_at: BIRTH,
    expires_at: "2030-01-01T01:00:00.000Z",
    user_agent: "",
    ip_address: "192.0.2.1",
    ...given,
  };
}
