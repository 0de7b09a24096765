import { z } from "zod";
import { FILTER_MAX } from "../../model/shown/filter.ts";
import { GROUPINGS } from "../../model/shown/grouping.ts";

/** Rows of clients that are kept of a server: several screens of them. */
export const ROWS_MAX = 200;

/** Groups that are kept of a server. */
const GROUPS_MAX = 200;
const ID_MAX = 1_000;
/** Longer texts are cut: no side bar is as wide. */
const LABEL_MAX = 120;
const DESCRIPTION_MAX = 300;
const SPOKEN_MAX = 400;

const rowSchema = z.object({
  clientId: z.string().max(ID_MAX),
  /** Whether it stood in another group already. */
  isAgain: z.boolean(),
  label: z.string().max(LABEL_MAX),
  description: z.string().max(DESCRIPTION_MAX),
  spoken: z.string().max(SPOKEN_MAX),
  icon: z.string().max(40),
});

const groupSchema = z.object({
  by: z.enum([...GROUPINGS, "pinned"]),
  value: z.string().max(ID_MAX),
  /** How many clients it had; not all of them have a row here. */
  size: z.number().int().nonnegative(),
  rows: z.array(rowSchema).max(ROWS_MAX),
});

const recordSchema = z.object({
  version: z.literal(1),
  serverKey: z.string().max(2_000),
  /** When it was true, in milliseconds since the epoch. */
  atMs: z.number().int(),
  /** The filter through which it was seen. */
  filter: z.string().max(FILTER_MAX),
  groups: z.array(groupSchema).max(GROUPS_MAX),
});

/** A client as its row said it. */
export type LastRow = z.infer<typeof rowSchema>;

/** A group with its first rows. */
export type LastGroup = z.infer<typeof groupSchema>;

/** The first rows of a server's clients as they were shown last: what was to be read there, and nothing else. */
export type LastRecord = z.infer<typeof recordSchema>;

/** What a record is made of: groups in order, and as many of their rows as are asked for. */
export interface Drawing extends Pick<LastRecord, "serverKey" | "atMs" | "filter"> {
  readonly groups: readonly (Pick<LastGroup, "by" | "value" | "size"> & {
    readonly rows: (most: number) => readonly LastRow[];
  })[];
}

/** Takes the first rows of what is shown, within the limits of a record. */
export function recordOf({ groups, ...about }: Drawing): LastRecord {
  const kept: LastGroup[] = [];
  let left = ROWS_MAX;
  for (const { by, value, size, rows } of groups.slice(0, GROUPS_MAX)) {
    const first = rows(left).slice(0, left).map(cut);
    left -= first.length;
    kept.push({ by, value, size, rows: first });
  }
  return { version: 1, ...about, groups: kept };
}

function cut(row: LastRow): LastRow {
  return {
    ...row,
    label: row.label.slice(0, LABEL_MAX),
    description: row.description.slice(0, DESCRIPTION_MAX),
    spoken: row.spoken.slice(0, SPOKEN_MAX),
  };
}

/** Reads what was kept of a server; undefined when it is none of ours. */
export function parseRecord(text: string, serverKey: string): LastRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { data } = recordSchema.safeParse(value);
  return data?.serverKey === serverKey ? data : undefined;
}
