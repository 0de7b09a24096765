import type { Adopted, ClientRecord } from "../../store/records/clientRecord.ts";

/** What a host is called and filed under, and what of it was taken over from another record. */
export type Attributes = Pick<ClientRecord, "name" | "tags" | "labels" | "adopted">;

/** What people gave a host; what they did not give is undefined. */
export interface Given {
  readonly name?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

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
export function withoutUndefined<T extends object>(
  all: {
    readonly [K in keyof T]: T[K] | undefined;
  },
): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

/** What people gave a client. */
export function givenTo({ given }: Pick<ClientRecord, "given">): Given {
  return { name: given.name?.shown, tags: given.tags?.shown, labels: given.labels?.shown };
}

/** The record as it would be if people had given its client nothing. */
export function ungiven(record: ClientRecord): ClientRecord {
  const { given } = record;
  return {
    ...record,
    name: given.name?.said ?? record.name,
    tags: given.tags?.said ?? record.tags,
    labels: given.labels?.said ?? record.labels,
    given: {},
  };
}

/** The record with what people give its client, and with nothing else that they gave before. */
export function withGiven(record: ClientRecord, { name, tags, labels }: Given): ClientRecord {
  const said = ungiven(record);
  return {
    ...said,
    name: name ?? said.name,
    tags: [...(tags ?? said.tags)],
    labels: { ...(labels ?? said.labels) },
    given: withoutUndefined({
      name: replacedBy(said.name, name),
      tags: replacedBy(said.tags, tags && [...tags]),
      labels: replacedBy(said.labels, labels && { ...labels }),
    }),
  };
}

function replacedBy<T>(said: T, shown: T | undefined): { said: T; shown: T } | undefined {
  return shown === undefined ? undefined : { said, shown };
}

function stillSaid<T>(kept: Replaced<T> | undefined, said: T): { said: T; shown: T } | undefined {
  return kept !== undefined && isEqual(kept.said, said) ? { ...kept } : undefined;
}
