import { authIdSchema, clientIdSchema, secretIdSchema } from "@rport/protocol/ids";
import { clientSecretSchema } from "@rport/protocol/model";
import { z } from "zod";

const optionalTimeMs = z.int().nonnegative().nullable();

/**
 * A secret as it is kept: a verifier of it, never the secret. `seq` orders the secrets of a
 * credential by birth, whatever the machine's clock did. Times are milliseconds since the epoch.
 */
export const secretRowSchema = z.object({
  id: secretIdSchema,
  credential_id: authIdSchema,
  seq: z.int().nonnegative(),
  /** `hmac` for generated secrets; `scrypt` for what people type. */
  scheme: z.enum(["hmac", "scrypt"]),
  verifier: z.instanceof(Uint8Array).refine((bytes) => bytes.length === 32, "has not 32 bytes"),
  origin: clientSecretSchema.shape.origin,
  state: clientSecretSchema.shape.state,
  /** The only client that may use it; null: any, or not decided yet when `single_use`. */
  client_id: clientIdSchema.nullable(),
  single_use: z.int().transform((flag) => flag === 1),
  created_at: z.int().nonnegative(),
  /** For a rotated secret also: when its client confirmed that it had stored it. */
  last_used_at: optionalTimeMs,
  /** From then on it opens nothing. */
  expires_at: optionalTimeMs,
  /** Until then a client has to begin to use it; once bound, this no longer matters. */
  unbound_until: optionalTimeMs,
  /** When `state` became what it is. */
  state_since: z.int().nonnegative(),
});

/** A secret as it is kept. */
export type SecretRow = Readonly<z.infer<typeof secretRowSchema>>;

/**
 * The latest rotation of a credential. `grace_ms` null: it ends when every client has moved;
 * 0: when all offers to connected clients were answered. `ended_at` null: it is under way.
 */
export const rotationRowSchema = z.object({
  credential_id: authIdSchema,
  started_at: z.int().nonnegative(),
  grace_ms: optionalTimeMs,
  grace_ends_at: optionalTimeMs,
  ended_at: optionalTimeMs,
});

/** The latest rotation of a credential. */
export type RotationRow = Readonly<z.infer<typeof rotationRowSchema>>;
