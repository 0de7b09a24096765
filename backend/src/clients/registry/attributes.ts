import type { Adopted, ClientRecord } from "../../store/clientRecord.ts";

/** What a record says about its host that agents say at each connection, and what was adopted. */
export type Attributes = Pick<ClientRecord, "name" | "tags" | "labels" | "adopted">;

interface Replaced<T> {
  readonly said: T;
  readonly shown: T;
}

/**
 * The attributes of a client that registered again: what was moved over stays in the place of what
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

/** What is shown in the place of `said` for as long as that is what the agent says. */
function stillSaid<T>(kept: Replaced<T> | undefined, said: T): { said: T; shown: T } | undefined {
  return kept !== undefined && isEqual(kept.said, said) ? { ...kept } : undefined;
}

/** Whether two attributes are the same, as they would be written. */
export function isEqual(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** What was adopted, without the attributes that were not. */
export function withoutUndefined(
  all: {
    readonly [K in keyof Adopted]: Adopted[K] | undefined;
  },
): Adopted {
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}
