import { z } from "zod";
import { authIdSchema, clientIdSchema, pairingIdSchema } from "../ids.ts";
import { TIME_MAX } from "../texts.ts";
import { base64url } from "./base64url.ts";

/** How long a pasted line works unless said otherwise. */
export const PAIRING_TTL_S = 600;

/** Crockford's base 32: no I, L, O, U; read without regard to case, hyphens ignored. */
export const CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** A pairing token: 26 characters, 130 bits. Only the pasted line carries it. */
export const pairingTokenSchema = z
  .string()
  .max(64)
  .transform((text) =>
    text.trim().toUpperCase().replaceAll("-", "").replaceAll(/[IL]/g, "1").replaceAll("O", "0"),
  )
  .pipe(z.string().regex(/^[0-9A-HJKMNP-TV-Z]{26}$/, "A pairing token has 26 letters and digits."))
  .brand<"PairingToken">();

/** A pairing token in its normal form. */
export type PairingToken = z.infer<typeof pairingTokenSchema>;

/**
 * AES-256-GCM over the JSON of a `PairingPayload`. `salt` 16 bytes, `iv` 12, `tag` 16, all
 * base64url. Version, id and expiry are bound as associated data, so an envelope cannot be moved
 * to another id or kept alive.
 */
export const envelopeSchema = z.strictObject({
  v: z.literal(1),
  id: pairingIdSchema,
  expires: z.iso.datetime().max(TIME_MAX),
  salt: base64url(22),
  iv: base64url(16),
  ct: z.string().regex(/^[A-Za-z0-9_-]{1,8000}$/),
  tag: base64url(22),
});

/** A sealed payload. */
export type Envelope = z.infer<typeof envelopeSchema>;

const label = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[^\p{Cc}]*$/u, "Control characters are not allowed.");

/** What the agent writes to its configuration. Only the holder of the token can open it. */
export const pairingPayloadSchema = z.strictObject({
  server_urls: z.array(z.url().max(500)).min(1).max(8),
  /** `SHA256:` form. */
  fingerprint: z.string().regex(/^SHA256:[A-Za-z0-9+/]{43}$/),
  auth_id: authIdSchema,
  secret: z.string().min(16).max(256),
  name: z.union([label, z.literal("")]).default(""),
  tags: z.array(label).max(32).default([]),
});

/** What the agent writes to its configuration. */
export type PairingPayload = z.infer<typeof pairingPayloadSchema>;

/**
 * `POST /pair/v1/claim`. `proof` is HMAC-SHA-256 over label, id and `claimant` with the claim key
 * derived from the token. `claimant` is 16 random bytes made by the installer; a repeat with the
 * same claimant within 60 s gets the same envelope, so a lost answer does not waste the pairing.
 */
export const claimRequestSchema = z.strictObject({
  id: pairingIdSchema,
  claimant: base64url(22),
  proof: base64url(43),
  client_id: clientIdSchema,
  hostname: z.string().max(255),
});

/** What an installer sends to claim a pairing. */
export type ClaimRequest = z.infer<typeof claimRequestSchema>;

/** The answer to a claim. */
export const claimAnswerSchema = z.strictObject({ envelope: envelopeSchema });
/** The answer to a claim. */
export type ClaimAnswer = z.infer<typeof claimAnswerSchema>;

/** How a wrong, used, expired or revoked token is answered: always the same, HTTP 404. */
export const PAIRING_REFUSED = "This pairing token is unknown, expired or already used.";

/** Largest body of a claim, in bytes. */
export const CLAIM_MAX_BYTES = 8_192;
