import { randomBytes } from "node:crypto";
import { formatHostPort, type HostPort } from "@rport/protocol/remote";
import { z } from "zod";
import { KINDS } from "../../model/tunnels/greeting.ts";

/** What is remembered at once; beyond it the oldest is forgotten. */
export const RECORDS_MAX = 100;
/** The form that is written. */
const VERSION = 1;
const NAME_MAX = 200;

const portSchema = z.number().int().min(1).max(65_535);

/** What is kept of one tunnel. */
export const recordSchema = z.object({
  id: z.string().regex(/^[0-9a-f]{16}$/),
  serverKey: z.string().min(1).max(500),
  clientId: z.string().min(1).max(500),
  clientName: z.string().max(NAME_MAX),
  remote: z.object({ host: z.string().min(1).max(255), port: portSchema }),
  localPort: portSchema,
  /** The address of this computer on which it listens; absent: 127.0.0.1. */
  localHost: z.union([z.ipv4(), z.ipv6()]).optional(),
  /** See `workspaceMark`. */
  workspace: z.string().max(64),
  isThisComputer: z.boolean(),
  /** Whether it is to be open: nobody has closed it. One that was closed is kept for its port. */
  isWanted: z.boolean(),
  /** Milliseconds since the epoch. */
  usedAtMs: z.number().int().nonnegative(),
  /** What was found there last; a later version may know others. */
  kind: z.enum(KINDS).optional().catch(undefined),
});

const fileSchema = z.object({
  version: z.literal(VERSION),
  tunnels: z.array(recordSchema).max(RECORDS_MAX),
});

/** What is remembered of a tunnel. It holds no secret. */
export type TunnelRecord = Readonly<z.infer<typeof recordSchema>>;

/** Where a tunnel leads. */
export type TunnelTarget = Pick<TunnelRecord, "serverKey" | "clientId"> & {
  readonly remote: HostPort;
};

/** What came of reading: the records as they were written, or why they cannot be read. */
export type ParsedMemory =
  | { readonly kind: "records"; readonly records: readonly TunnelRecord[] }
  | { readonly kind: "broken"; readonly why: string };

/** Reads what `memoryText` has written. */
export function parseMemory(text: string): ParsedMemory {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { kind: "broken", why: "it is not JSON" };
  }
  const parsed = fileSchema.safeParse(json);
  if (parsed.success) return { kind: "records", records: parsed.data.tunnels };
  const [issue] = parsed.error.issues;
  return { kind: "broken", why: `${issue?.path.join(".") || "it"}: ${issue?.message}` };
}

/** The text of a file that holds these. */
export function memoryText(records: readonly TunnelRecord[]): string {
  return `${JSON.stringify({ version: VERSION, tunnels: records }, undefined, 2)}\n`;
}

/** An id that no other tunnel of this computer has. */
export function newId(): string {
  return randomBytes(8).toString("hex");
}

/** A client's name as it is kept. */
export function keptName(name: string): string {
  return name.slice(0, NAME_MAX);
}

/**
 * The records with this one in the place of the one with its id, and those that are too many: first the
 * oldest that are kept for their port alone, and never one that is held.
 */
export function withRecord(
  records: readonly TunnelRecord[],
  record: TunnelRecord,
  isHeld: (record: TunnelRecord) => boolean = () => false,
): { readonly kept: readonly TunnelRecord[]; readonly dropped: readonly TunnelRecord[] } {
  const isKnown = records.some(({ id }) => id === record.id);
  const all = isKnown
    ? records.map((each) => (each.id === record.id ? record : each))
    : [...records, record];
  const isKept = (each: TunnelRecord) => each === record || isHeld(each);
  const rank = [isKept, isWanted, () => true];
  const ranked = newestFirst(all).toSorted(
    (one, other) => rank.findIndex((is) => is(one)) - rank.findIndex((is) => is(other)),
  );
  const dropped = new Set(ranked.slice(RECORDS_MAX).filter((each) => !isKept(each)));
  return { kept: all.filter((each) => !dropped.has(each)), dropped: [...dropped] };
}

/** The record that was used last for a target, among those that fit. */
export function latestOf(
  records: Iterable<TunnelRecord>,
  target: TunnelTarget,
  fits: (record: TunnelRecord) => boolean = () => true,
): TunnelRecord | undefined {
  return newestFirst([...records].filter((each) => isSameTarget(each, target) && fits(each)))[0];
}

/** Where tunnels to one client led, each place once, the latest first. */
export function recentTargets(
  records: readonly TunnelRecord[],
  { serverKey, clientId }: Pick<TunnelTarget, "serverKey" | "clientId">,
): readonly HostPort[] {
  const own = records.filter((each) => each.serverKey === serverKey && each.clientId === clientId);
  const places = newestFirst(own).map(({ remote }) => [formatHostPort(remote), remote] as const);
  // the last entry of a place counts, and its position is that of the first
  return [...new Map(places).values()];
}

/** Whether two tunnels lead to the same place. */
export function isSameTarget(one: TunnelTarget, other: TunnelTarget): boolean {
  return (
    one.serverKey === other.serverKey &&
    one.clientId === other.clientId &&
    one.remote.host === other.remote.host &&
    one.remote.port === other.remote.port
  );
}

function isWanted(record: TunnelRecord): boolean {
  return record.isWanted;
}

function newestFirst(records: readonly TunnelRecord[]): TunnelRecord[] {
  return records.toSorted((one, other) => other.usedAtMs - one.usedAtMs);
}
