import { RportError } from "@rport/protocol/errors";
import type { TunnelId } from "@rport/protocol/ids";
import {
  type Attributes,
  type Given,
  givenTo,
  isEqual,
  ungiven,
  withGiven,
  withoutUndefined,
} from "../clients/registry/attributes.ts";
import { RECORD_MAX_BYTES } from "../clients/registry/inventory.ts";
import { LIMITS } from "../limits/limitTable.ts";
import type { ClientRecord, StoredTunnel } from "../store/records/clientRecord.ts";
import { nextTunnelId } from "../tunnels/describe.ts";

/** Tags that a record may have. */
const TAGS_MAX = 256;
/** Groups of users that may see one client. */
const USER_GROUPS_MAX = 64;

/** Fails with `CONFLICT` when a record must stay what it is. */
export function requireAdoptable({ revoked_at }: ClientRecord, isConnected: boolean): void {
  if (isConnected) {
    const title = "That client is connected: only the record of one that is away can be moved.";
    throw new RportError("CONFLICT", title);
  }
  if (revoked_at === null) return;
  const title = "That client was revoked: allow it again before its record is moved.";
  throw new RportError("CONFLICT", title);
}

/** What is to be known of the tunnels of two records that become one. */
export interface MergedTunnels {
  /** Those that are open, which may not be in the record yet. */
  readonly tunnelIds?: readonly TunnelId[] | undefined;
  /** Most that one client may have. */
  readonly tunnelsMax?: number | undefined;
}

/**
 * The record `to` with everything that somebody gave the host under its id before. Fails with
 * `CONFLICT` when one record cannot hold it all.
 */
export function mergedRecord(
  to: ClientRecord,
  from: ClientRecord,
  { tunnelIds = [], tunnelsMax = LIMITS.tunnels_per_client.usual }: MergedTunnels = {},
): ClientRecord {
  const tunnels = mergedTunnels(to.tunnels, from.tunnels, tunnelIds);
  const attributes = mergedAttributes(ungiven(to), ungiven(from));
  const merged = {
    ...withGiven({ ...ungiven(to), ...attributes }, mergedGiven(to, from)),
    tunnels,
    first_seen_at: from.first_seen_at,
    allowed_user_groups: [...new Set([...from.allowed_user_groups, ...to.allowed_user_groups])],
  };
  if (tunnels.length > tunnelsMax) {
    throw new RportError("CONFLICT", `Together they have more than ${tunnelsMax} tunnels.`);
  }
  if (merged.tags.length > TAGS_MAX) {
    throw new RportError("CONFLICT", `Together they have more than ${TAGS_MAX} tags.`);
  }
  if (merged.allowed_user_groups.length > USER_GROUPS_MAX) {
    const title = `Together more than ${USER_GROUPS_MAX} groups of users may see them.`;
    throw new RportError("CONFLICT", title);
  }
  if (Buffer.byteLength(JSON.stringify(merged)) > RECORD_MAX_BYTES) {
    throw new RportError("CONFLICT", "Together they are too large for one record.");
  }
  return merged;
}

function mergedAttributes(to: ClientRecord, from: ClientRecord): Attributes {
  const { adopted } = to;
  const name = hasGivenName(from) ? from.name : to.name;
  const tags = [...from.tags, ...to.tags.filter((tag) => !from.tags.includes(tag))];
  const labels = { ...to.labels, ...from.labels };
  return {
    name,
    tags,
    labels,
    adopted: withoutUndefined({
      name: replacing(adopted.name?.said ?? to.name, name),
      tags: replacing(adopted.tags?.said ?? to.tags, tags),
      labels: replacing(adopted.labels?.said ?? to.labels, labels),
    }),
  };
}

/** What people gave either of the two: the earlier record goes first, as in all else. */
function mergedGiven(to: ClientRecord, from: ClientRecord): Given {
  const [own, earlier] = [givenTo(to), givenTo(from)];
  const hasTags = own.tags !== undefined || earlier.tags !== undefined;
  const hasLabels = own.labels !== undefined || earlier.labels !== undefined;
  return {
    name: earlier.name ?? own.name,
    tags: hasTags ? [...new Set([...from.tags, ...to.tags])] : undefined,
    labels: hasLabels ? { ...to.labels, ...from.labels } : undefined,
  };
}

/** A host without a name is shown by its hostname, which nobody chose for it here. */
function hasGivenName({ name, hostname }: ClientRecord): boolean {
  return name !== "" && name !== hostname;
}

/** Those of the record itself stay as they are; the others get ids behind them. */
function mergedTunnels(
  own: readonly StoredTunnel[],
  others: readonly StoredTunnel[],
  taken: readonly TunnelId[],
): StoredTunnel[] {
  const merged = [...own];
  for (const tunnel of others) {
    if (own.some((one) => isSameTunnel(one, tunnel))) continue;
    const used = merged.map(({ id }) => id);
    merged.push({ ...tunnel, id: nextTunnelId([...used, ...taken]) });
  }
  return merged;
}

function isSameTunnel(one: StoredTunnel, other: StoredTunnel): boolean {
  const isSameTarget = one.rhost === other.rhost && one.rport === other.rport;
  const isSamePort = one.lhost === other.lhost && one.lport === other.lport;
  return isSameTarget && isSamePort && (one.acl ?? "") === (other.acl ?? "");
}

function replacing<T>(said: T, shown: T): { said: T; shown: T } | undefined {
  return isEqual(said, shown) ? undefined : { said, shown };
}
