import { z } from "zod";

/**
 * What a TLS key is recognised by, in curl's spelling: `sha256//` and the SHA-256 of the public key
 * (its SubjectPublicKeyInfo, in DER) in base64. A certificate of the same key has the same pin.
 */
export const tlsPinSchema = z
  .string()
  .regex(/^sha256\/\/[A-Za-z0-9+/]{43}=$/, "has to be sha256// and 44 characters of base64");

/** A pin in that spelling. */
export type TlsPin = z.infer<typeof tlsPinSchema>;
