import { secretIdSchema } from "@rport/protocol/ids";
import { clientSchema } from "@rport/protocol/model";
import type { z } from "zod";

/**
 * What is kept of a client: its record without presence (`connection_state`,
 * `last_heartbeat_at`), and with the id of its secret instead of the secret's state.
 */
export const clientRecordSchema = clientSchema
  .omit({ connection_state: true, last_heartbeat_at: true, secret: true })
  .extend({ secret_id: secretIdSchema.nullable() });

/** What is kept of a client. */
export type ClientRecord = z.infer<typeof clientRecordSchema>;
