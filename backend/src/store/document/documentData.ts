import { z } from "zod";
import { toTime } from "../../platform/clock.ts";
import { bytes, readableId } from "../../platform/random.ts";
import { clientGroupRecordSchema } from "../records/clientGroupRecord.ts";
import { credentialRecordSchema } from "../records/credentialRecord.ts";
import { groupRecordSchema } from "../records/groupRecord.ts";
import { sessionRecordSchema } from "../records/sessionRecord.ts";
import { tokenRecordSchema } from "../records/tokenRecord.ts";
import { userRecordSchema } from "../records/userRecord.ts";

/** Most credentials one document holds; beyond it a change takes too long to write. */
const CREDENTIALS_MAX = 20_000;

function eachOnce<S extends z.ZodType>(schema: S, keyOf: (value: z.output<S>) => unknown) {
  return z
    .array(schema)
    .refine((all) => new Set(all.map(keyOf)).size === all.length, "lists something twice")
    .default([]);
}

/** Everything people configure. Replaced as a whole at each change, never altered in place. */
export const documentDataSchema = z.strictObject({
  settings: z.strictObject({
    created_at: z.iso.datetime(),
    /** Grows by one with each writing. A document of a program that did not count has none. */
    revision: z.int().nonnegative().default(0),
  }),
  credentials: z
    .array(credentialRecordSchema)
    .max(CREDENTIALS_MAX)
    .refine(
      (records) => new Set(records.map((record) => record.id)).size === records.length,
      "has two credentials with the same id",
    ),
  // A document of a program that knew no people has none of these.
  users: eachOnce(userRecordSchema, ({ username }) => username),
  user_groups: eachOnce(groupRecordSchema, ({ name }) => name),
  tokens: eachOnce(tokenRecordSchema, ({ prefix }) => prefix),
  sessions: eachOnce(sessionRecordSchema, ({ session_id: id }) => id),
  client_groups: eachOnce(clientGroupRecordSchema, ({ id }) => id),
});

/** Everything people configure. */
export type DocumentData = z.infer<typeof documentDataSchema>;

/** What a new data directory starts with: one credential of a random name, without any secret. */
export function firstDocument(nowMs: number): DocumentData {
  return documentDataSchema.parse({
    settings: { created_at: toTime(nowMs) },
    credentials: [
      {
        id: `fleet-${readableId(6)}`,
        label: "First credential",
        kind: "fleet",
        state: "active",
        created_at: toTime(nowMs),
        created_by: "setup",
        limits: { max_clients: null, expires_at: null, cidrs: [] },
        salt: bytes(16).toString("base64url"),
      },
    ],
  });
}
