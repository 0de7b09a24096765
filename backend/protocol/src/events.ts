import { z } from "zod";
import { authIdSchema, clientIdSchema, pairingIdSchema } from "./ids.ts";
import {
  clientSchema,
  credentialSchema,
  joinSchema,
  pairingSchema,
  refusalSchema,
  serverStatusSchema,
  tunnelSchema,
} from "./model.ts";

/**
 * The event socket, `GET /api/v1/events` as a WebSocket with `Authorization: Bearer`. The server
 * sends one `snapshot`, then `delta`s whose `seq` grows by one. A gap in `seq`, or close code
 * `resync`, means: connect again. The consumer sends nothing; WebSocket pings keep it alive.
 */
const change = z.discriminatedUnion("entity", [
  z.object({ entity: z.literal("server"), value: serverStatusSchema }),
  z.object({ entity: z.literal("client"), id: clientIdSchema, value: clientSchema.nullable() }),
  z.object({
    entity: z.literal("credential"),
    id: authIdSchema,
    value: credentialSchema.nullable(),
  }),
  /** `id` is `<client id>/<tunnel id>`. */
  z.object({
    entity: z.literal("tunnel"),
    id: z.string().max(200),
    value: tunnelSchema.nullable(),
  }),
  z.object({ entity: z.literal("pairing"), id: pairingIdSchema, value: pairingSchema.nullable() }),
  z.object({ entity: z.literal("join"), id: z.string().max(64), value: joinSchema.nullable() }),
  z.object({
    entity: z.literal("refusal"),
    id: z.string().max(64),
    value: refusalSchema.nullable(),
  }),
]);

/** One entity as it is now; a null value means it is gone. */
export type Change = z.infer<typeof change>;

/** Everything there is, sent once at the start of each connection. */
export const snapshotSchema = z.object({
  type: z.literal("snapshot"),
  seq: z.number().int().nonnegative(),
  at: z.iso.datetime({ offset: true }),
  server: serverStatusSchema,
  clients: z.array(clientSchema),
  credentials: z.array(credentialSchema),
  tunnels: z.array(tunnelSchema),
  pairings: z.array(pairingSchema),
  joins: z.array(joinSchema).default([]),
  refusals: z.array(refusalSchema).default([]),
});

/** Everything there is. */
export type Snapshot = z.infer<typeof snapshotSchema>;

/** What changed since the message before. Each change carries the whole entity, so order within one entity is all that matters. */
export const deltaSchema = z.object({
  type: z.literal("delta"),
  seq: z.number().int().positive(),
  at: z.iso.datetime({ offset: true }),
  changes: z.array(change).min(1),
});

/** What changed since the message before. */
export type Delta = z.infer<typeof deltaSchema>;

/** Any message of the event socket. */
export const eventMessageSchema = z.discriminatedUnion("type", [snapshotSchema, deltaSchema]);

/** Any message of the event socket. */
export type EventMessage = z.infer<typeof eventMessageSchema>;
