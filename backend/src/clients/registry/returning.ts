import type { ClientRecord } from "../../store/records/clientRecord.ts";
import { givenTo, keptAttributes, withGiven } from "./attributes.ts";
import { knownKey } from "./hostKeyChange.ts";

/**
 * The record of a client that registered: what it says now, with what the server keeps of it by
 * itself. `at` is RFC 3339.
 */
export function returningRecord(
  now: ClientRecord,
  before: ClientRecord | undefined,
  at: string,
): ClientRecord {
  const said = { ...now, ...keptAttributes(now, before?.adopted ?? {}) };
  return {
    // What people gave it stays, whatever its agent says.
    ...withGiven(said, givenTo(before ?? now)),
    ...knownKey(now, before, at),
    // Who was revoked at this very moment stays so; its session is about to be cut.
    revoked_at: before?.revoked_at ?? null,
    first_seen_at: before === undefined ? at : before.first_seen_at,
    heard_at: before?.heard_at ?? null,
    // Who may see a client is decided here, whatever its agent says.
    allowed_user_groups: before?.allowed_user_groups ?? [],
  };
}
