import { z } from "zod";
import { line, time } from "./texts.ts";

/** Why an agent was not let in. */
export const refusalReasonSchema = z.enum([
  "unknown-credential",
  "wrong-secret",
  "revoked-credential",
  "revoked-secret",
  "revoked-client",
  "expired",
  "address",
  "bound-to-other-client",
  "too-many-clients",
  "join-rate",
  "server-full",
  "credential-full",
  "not-approved",
  "duplicate",
  "tunnel",
  "penalty",
  "busy",
  "protocol",
]);

/** Why an agent was not let in. */
export type RefusalReason = z.infer<typeof refusalReasonSchema>;

/** Refusals of one kind, counted. Kept in memory only; the oldest are forgotten. */
export const refusalSchema = z.object({
  id: z.string().max(64),
  reason: refusalReasonSchema,
  address: line,
  /**
   * What the agent claimed; cut to a line and never trusted. Null where it did not say. Of an auth
   * id that may not exist, only the beginning: people paste passwords in the wrong place.
   */
  auth_id: z.string().max(128).nullable(),
  client_id: z.string().max(128).nullable(),
  hostname: line.nullable(),
  /** What the agent was told the last time; null where it was told nothing. */
  text: line.nullable().default(null),
  count: z.number().int().positive(),
  first_at: time,
  last_at: time,
});

/** Refusals of one kind, counted. */
export type Refusal = z.infer<typeof refusalSchema>;
