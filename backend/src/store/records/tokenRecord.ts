import { tokenSchema } from "@rport/protocol/people/token";
import { userNameSchema } from "@rport/protocol/people/user";
import { time } from "@rport/protocol/texts";
import { z } from "zod";

/** A personal token as it is kept: the SHA-256 of its value (base64url), never the value. */
export const tokenRecordSchema = z.strictObject({
  ...tokenSchema.omit({ current: true }).shape,
  username: userNameSchema,
  sha256: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
  /**
   * When it was ended; from then on it opens nothing, and is kept for a while only so that whoever
   * shows it is told why. Null: it works, unless its time is over.
   */
  ended_at: time.nullable(),
});

/** A personal token as it is kept. */
export type TokenRecord = Readonly<z.infer<typeof tokenRecordSchema>>;
