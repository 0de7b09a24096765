import { sessionSchema } from "@rport/protocol/people/token";
import { time } from "@rport/protocol/texts";
import { z } from "zod";

/**
 * A session as it is kept; its token is signed, and stands nowhere. Its id is random and never used
 * again, so a token of a session that ended opens no other one. `second-factor`: the password was
 * right, and a code is owed.
 */
export const sessionRecordSchema = z.strictObject({
  ...sessionSchema.shape,
  scope: z.enum(["full", "second-factor"]),
  created_at: time,
});

/** A session as it is kept. */
export type SessionRecord = Readonly<z.infer<typeof sessionRecordSchema>>;
