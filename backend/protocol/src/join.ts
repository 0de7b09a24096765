import { z } from "zod";
import { authIdSchema, clientIdSchema } from "./ids.ts";
import { line, time } from "./texts.ts";

/**
 * Why a client waits for a person: `new`, its credential lets nobody in unseen (`limits.approval`);
 * the others, that somebody else may have taken the id of a client that is on record: it shows
 * another host key (`key-changed`) or none (`key-missing`) where one is known, or it comes with
 * another credential and no key that is known (`other-credential`).
 */
export const joinReasonSchema = z.enum(["new", "key-changed", "key-missing", "other-credential"]);

/** Why a client waits for a person. */
export type JoinReason = z.infer<typeof joinReasonSchema>;

/**
 * A client that waits for a person: its connection is held until `expires_at`. RPort's own client
 * cannot wait: it is refused after 20 s and stays listed until 10 minutes after its last try.
 */
export const joinSchema = z.object({
  id: z.string().regex(/^[0-9A-Za-z_-]{8,64}$/),
  credential_id: authIdSchema,
  client_id: clientIdSchema,
  name: line,
  hostname: line,
  os_full_name: line,
  address: line,
  reason: joinReasonSchema.default("new"),
  /** `SHA256:` fingerprint of the key that it names, and has to prove before it is in; null: none. */
  host_key: z.string().max(64).nullable().default(null),
  /** Fingerprint of the key that the client is known by; null: none. */
  known_host_key: z.string().max(64).nullable().default(null),
  /** The credential that the client came in with last, if that is another one; null: it is not. */
  known_credential_id: authIdSchema.nullable().default(null),
  at: time,
  expires_at: time,
});

/** A client that waits for a person. */
export type Join = z.infer<typeof joinSchema>;
