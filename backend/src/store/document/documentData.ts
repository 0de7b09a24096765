import { z } from "zod";
import { toTime } from "../../platform/clock.ts";
import { bytes, readableId } from "../../platform/random.ts";
import { credentialRecordSchema } from "../records/credentialRecord.ts";

/** Most credentials one document holds; beyond it a change takes too long to write. */
const CREDENTIALS_MAX = 20_000;

/** Everything people configure. Replaced as a whole at each change, never altered in place. */
export const documentDataSchema = z.strictObject({
  settings: z.strictObject({ created_at: z.iso.datetime() }),
  credentials: z
    .array(credentialRecordSchema)
    .max(CREDENTIALS_MAX)
    .refine(
      (records) => new Set(records.map((record) => record.id)).size === records.length,
      "has two credentials with the same id",
    ),
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
