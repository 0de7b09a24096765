import type { Adopted, ClientRecord } from "../../store/records/clientRecord.ts";

/** What a host is called and filed under, and what of it was taken over from another record. */
export type Attributes = Pick<ClientRecord, "name" | "tags" | "labels" | "adopted">;

/** What is shown in the place of what the agent says, for as long as it says that. */
export interface Replaced<T> {
  readonly said: T;
  readonly shown: T;
}

/**
 * The attributes of a client that registered again: what was taken over stays in the place of what
 * its agent says, until that says something else than at the time.
 */
export function keptAttributes(said: ClientRecord, adopted: Adopted): Attributes {
  const kept = {
    name: stillSaid(adopted.name, said.name),
    tags: stillSaid(adopted.tags, said.tags),
    labels: stillSaid(adopted.labels, said.labels),
  };
  return {
    name: kept.name?.shown ?? said.name,
    tags: kept.tags?.shown ?? said.tags,
    labels: kept.labels?.shown ?? said.labels,
    adopted: withoutUndefined(kept),
  };
}

/** Whether two values say the same. */
export function isEqual(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** Only the attributes that there are. */
export function withoutUndefined(
  all: {
    readonly [K in keyof Adopted]: Adopted[K] | undefined;
  },
): Adopted {
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

function stillSaid<T>(kept: Replaced<T> | undefined, said: T): { said: T; shown: T } | undefined {
  return kept !== undefined && isEqual(kept.said, said) ? { ...kept } : undefined;
}
