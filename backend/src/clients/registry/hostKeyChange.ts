import type { HostKeyChange } from "@rport/protocol/model";
import type { ClientRecord } from "../../store/records/clientRecord.ts";

/** The key that a client is known by, and what was odd about it last. */
export type KnownKey = Pick<ClientRecord, "host_key" | "host_key_change">;

/**
 * What is known of the key of a client that registered as `now`. Its key is never forgotten: a
 * client that shows none keeps the one it had, and that it did not show it stays to be seen. `at`
 * is RFC 3339.
 */
export function knownKey(
  now: ClientRecord,
  before: ClientRecord | undefined,
  at: string,
): KnownKey {
  const { host_key: shown } = now;
  if (before === undefined) return { host_key: shown, host_key_change: null };
  const { host_key: known, host_key_change: last } = before;
  if (shown === known) {
    return { host_key: known, host_key_change: last?.kind === "missing" ? null : last };
  }
  if (shown !== null) {
    const kind = known === null ? "added" : "changed";
    return { host_key: shown, host_key_change: { kind, before: known, at } };
  }
  const missing = { kind: "missing", before: known, at } as const;
  return { host_key: known, host_key_change: last?.kind === "missing" ? last : missing };
}

/** The change that is new since `before`; undefined: there is none. */
export function newChange(
  now: ClientRecord,
  before: ClientRecord | undefined,
): HostKeyChange | undefined {
  const { host_key_change: change } = now;
  return change === null || change === before?.host_key_change ? undefined : change;
}
