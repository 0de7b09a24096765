import { createHmac, type KeyObject, scrypt, timingSafeEqual } from "node:crypto";

/** What `generatedSecret` makes: 32 bytes in base64url. */
const GENERATED = /^[A-Za-z0-9_-]{43}$/;
/** Length of each verifier. */
const VERIFIER_BYTES = 32;
/** About 60 ms and 32 MiB per try: slow enough for what people type. */
const SCRYPT = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 2 ** 20 } as const;

/**
 * How a secret is verified. What looks like a generated one holds 256 random bits: a plain HMAC
 * keeps it. Anything else may be guessable and is derived slowly.
 */
export function schemeOf(secret: string): "hmac" | "scrypt" {
  return GENERATED.test(secret) ? "hmac" : "scrypt";
}

/** The verifier of a generated secret. Of a key in bytes, Node would make an object at each login. */
export function hmacVerifier(key: KeyObject, secret: string): Buffer {
  return createHmac("sha256", key).update(secret).digest();
}

/** The verifier of a typed password. Runs outside the event loop. */
export function scryptVerifier(password: string, salt: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, VERIFIER_BYTES, SCRYPT, (error, derived) => {
      if (error === null) resolve(derived);
      else reject(error);
    });
  });
}

/** Whether two verifiers are the same, in a time that does not depend on where they differ. */
export function isSameVerifier(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
