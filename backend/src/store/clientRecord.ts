import { secretIdSchema } from "@rport/protocol/ids";
import { clientSchema, tunnelSchema } from "@rport/protocol/model";
import { z } from "zod";

/** A server tunnel as it is remembered, to be opened again when its client comes back. */
export const storedTunnelSchema = tunnelSchema.omit({ client_id: true, connections: true });

/** A server tunnel as it is remembered. */
export type StoredTunnel = z.infer<typeof storedTunnelSchema>;

/**
 * What is kept of a client: its record without what is derived (presence, rotation, likeness,
 * duplicates), with the id of its secret instead of the secret's state, and with its tunnels.
 */
export const clientRecordSchema = clientSchema
  .omit({
    connection_state: true,
    last_heartbeat_at: true,
    secret: true,
    rotation_state: true,
    looks_like: true,
    duplicate: true,
  })
  .extend({
    secret_id: secretIdSchema.nullable(),
    tunnels: z.array(storedTunnelSchema).default([]),
  });

/** What is kept of a client. */
export type ClientRecord = z.infer<typeof clientRecordSchema>;
