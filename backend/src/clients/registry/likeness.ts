import type { ClientId } from "@rport/protocol/ids";
import type { ClientRecord } from "../../store/records/clientRecord.ts";

/** What more records than these have in common tells none of them from the others. */
const ALIKE_MAX = 8;
const LOOPBACK = "127.";

/** A record, as far as it may be the earlier one of another. */
export interface Seen {
  readonly record: ClientRecord;
  readonly connected: boolean;
}

/**
 * Which records may be of the same machine, by what they have in common: the key of the host, the
 * id of the machine, or its name, system and addresses. Each step takes the same time however many
 * records there are.
 */
export class Likeness {
  readonly #idsOf = new Map<string, Set<ClientId>>();
  readonly #marks = new Map<ClientId, readonly string[]>();
  readonly #seen: (id: ClientId) => Seen | undefined;

  constructor(seen: (id: ClientId) => Seen | undefined) {
    this.#seen = seen;
  }

  add(record: ClientRecord): void {
    const marks = marksOf(record);
    this.#marks.set(record.id, marks);
    for (const mark of marks) {
      const ids = this.#idsOf.get(mark) ?? new Set();
      this.#idsOf.set(mark, ids.add(record.id));
    }
  }

  remove({ id }: ClientRecord): void {
    for (const mark of this.#marks.get(id) ?? []) {
      const ids = this.#idsOf.get(mark);
      ids?.delete(id);
      if (ids?.size === 0) this.#idsOf.delete(mark);
    }
    this.#marks.delete(id);
  }

  /** Others that have something in common with it: theirs may change with this one. */
  others(record: ClientRecord): ClientId[] {
    // It may have been removed a moment ago.
    const marks = this.#marks.get(record.id) ?? marksOf(record);
    return [...new Set(marks.flatMap((mark) => this.#others(record, mark)))];
  }

  /**
   * The record that the machine had before, if it shows the same marks, is away, and was away ever
   * since this one came for the first time: two that were connected together are two machines.
   */
  earlierOf(record: ClientRecord): ClientId | undefined {
    for (const mark of this.#marks.get(record.id) ?? []) {
      const earlier = this.#others(record, mark)
        .flatMap((id) => this.#seen(id) ?? [])
        .filter((seen) => isBefore(seen, record))
        .sort((one, other) => heardMs(other.record) - heardMs(one.record));
      const [latest] = earlier;
      if (latest !== undefined) return latest.record.id;
    }
    return undefined;
  }

  #others({ id }: ClientRecord, mark: string): ClientId[] {
    const ids = this.#idsOf.get(mark);
    if (ids === undefined || ids.size > ALIKE_MAX) return [];
    // Nearly all records have nothing in common with any other.
    if (ids.size === 1 && ids.has(id)) return [];
    return [...ids].filter((other) => other !== id);
  }
}

/** The strongest first. */
function marksOf(record: ClientRecord): string[] {
  const { host_key: key, machine_hint: machine, hostname, os_kernel, os_arch, ipv4 } = record;
  const addresses = ipv4.filter((address) => !address.startsWith(LOOPBACK)).sort();
  const isTelling = hostname !== "" && addresses.length > 0;
  return [
    ...(key === null ? [] : [`key ${key}`]),
    ...(machine === "" ? [] : [`machine ${machine}`]),
    ...(isTelling ? [`host ${JSON.stringify([hostname, os_kernel, os_arch, addresses])}`] : []),
  ];
}

function isBefore({ record: earlier, connected }: Seen, record: ClientRecord): boolean {
  if (connected || record.first_seen_at === null) return false;
  const cameMs = Date.parse(record.first_seen_at);
  return firstSeenMs(earlier) < cameMs && heardMs(earlier) <= cameMs;
}

function firstSeenMs({ first_seen_at: at }: ClientRecord): number {
  return at === null ? Number.NEGATIVE_INFINITY : Date.parse(at);
}

/** When it was connected last, as far as is known. */
function heardMs({ heard_at, disconnected_at }: ClientRecord): number {
  const at = heard_at ?? disconnected_at;
  return at === null ? Number.POSITIVE_INFINITY : Date.parse(at);
}
