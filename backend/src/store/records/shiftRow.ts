import { authIdSchema, clientIdSchema, secretIdSchema } from "@rport/protocol/ids";
import { rotationStateSchema } from "@rport/protocol/model";
import { z } from "zod";

/**
 * How far one client is in the rotation of its credential. It shows people where everybody stands,
 * also after a restart; who is let in is decided by the secrets alone. `done`: the old secret is
 * not needed any more.
 */
export const shiftRowSchema = z.object({
  credential_id: authIdSchema,
  client_id: clientIdSchema,
  state: z.enum([...rotationStateSchema.options, "done"]),
  /** A sentence for people; empty where the state says it all. */
  reason: z.string(),
  /** The secret it was offered last. */
  secret_id: secretIdSchema.nullable(),
  /** Milliseconds since the epoch. */
  changed_at: z.int().nonnegative(),
});

/** How far one client is in the rotation of its credential. */
export type ShiftRow = Readonly<z.infer<typeof shiftRowSchema>>;
