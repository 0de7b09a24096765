import { secretIdSchema } from "@rport/protocol/ids";
import { clientSchema, tunnelSchema } from "@rport/protocol/model";
import { z } from "zod";

/** A server tunnel as it is remembered, to be opened again when its client comes back. */
export const storedTunnelSchema = tunnelSchema.omit({ client_id: true, connections: true });

/** A server tunnel as it is remembered. */
export type StoredTunnel = z.infer<typeof storedTunnelSchema>;

/** What a client shows in the place of what its agent says, for as long as that says the same. */
const replaced = <T extends z.ZodType>(schema: T) => z.object({ said: schema, shown: schema });

/** What was taken over from another record, where the agent itself says something else. */
export const adoptedSchema = z.object({
  name: replaced(z.string()).optional(),
  tags: replaced(z.array(z.string())).optional(),
  labels: replaced(z.record(z.string(), z.string())).optional(),
});

/** What was taken over from another record. */
export type Adopted = z.infer<typeof adoptedSchema>;

/**
 * What is kept of a client: its record without what is derived (presence, rotation, likeness,
 * duplicates, groups of clients), with the id of its secret instead of the secret's state, and with its tunnels.
 */
export const clientRecordSchema = clientSchema
  .omit({
    connection_state: true,
    last_heartbeat_at: true,
    secret: true,
    rotation_state: true,
    looks_like: true,
    duplicate: true,
    groups: true,
    said: true,
  })
  .extend({
    secret_id: secretIdSchema.nullable(),
    tunnels: z.array(storedTunnelSchema).default([]),
    adopted: adoptedSchema.default({}),
    /** What people gave it, which stays whatever its agent says; that is kept beside it. */
    given: adoptedSchema.default({}),
    /** `MachineHint` of its agent; empty: it says none. */
    machine_hint: z.string().default(""),
    /** When it came for the first time; null: before that was kept. */
    first_seen_at: clientSchema.shape.connected_at.default(null),
    /** When it was last heard of before it was disconnected. */
    heard_at: clientSchema.shape.connected_at.default(null),
  });

/** What is kept of a client. */
export type ClientRecord = z.infer<typeof clientRecordSchema>;
