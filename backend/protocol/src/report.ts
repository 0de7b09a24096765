import { z } from "zod";
import { listOf } from "./asking/untilFault.ts";
import { clientIdSchema } from "./ids.ts";
import { rotationStateSchema } from "./model.ts";
import { line } from "./texts.ts";

/** What a deletion did or, with `dry_run`, would do. */
export const deletionReportSchema = z.object({
  clients: listOf(
    z.object({
      id: clientIdSchema,
      name: line,
      connected: z.boolean(),
      tunnels: z.number().int(),
    }),
  ),
  /** Clients whose session was ended (or would be). */
  disconnected: z.number().int().nonnegative(),
  pairings: z.number().int().nonnegative(),
  /** Those of `clients` that were away: they find out when they come back. */
  offline: listOf(clientIdSchema).default([]),
  /** Of a purge: revoked clients, whose records stay, because they are what keeps them out. */
  kept: listOf(clientIdSchema).optional(),
  /** Of the revocation of a host: how many secrets end that only it may use. */
  secrets: z.number().int().nonnegative().optional(),
});

/** What a deletion did or would do. */
export type DeletionReport = z.infer<typeof deletionReportSchema>;

/** Where a client stands in a rotation. */
export const rotationClientSchema = z.object({
  id: clientIdSchema,
  name: line,
  connected: z.boolean(),
  /** `done`: it has moved. */
  state: z.enum([...rotationStateSchema.options, "done"]),
  /** A sentence for people; empty where the state says it all. */
  reason: line,
});

/** Where a client stands in a rotation. */
export type RotationClient = z.infer<typeof rotationClientSchema>;
