import { randomBytes } from "node:crypto";
import type { SecretId } from "@rport/protocol/ids";
import { secretIdSchema } from "@rport/protocol/ids";

/** Bytes of a generated secret: more than any search can cover, so a plain HMAC verifies it. */
const SECRET_BYTES = 32;
/** Bytes of a secret's public id; 16 characters, 96 bits, so ids never meet. */
const SECRET_ID_BYTES = 12;
/** Hosts tell whose their terminals are by it, so that nobody is taken for somebody else. */
const ACCOUNT_ID_BYTES = 16;
const ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/** Letters and digits that people do not mix up when they read an id aloud. */
const READABLE = "abcdefghjkmnpqrstuvwxyz23456789";

/** `count` bytes from the operating system's generator. */
export function bytes(count: number): Buffer {
  return randomBytes(count);
}

/** The public id of a new secret: 16 characters of base64url. */
export function secretId(): SecretId {
  return secretIdSchema.parse(randomBytes(SECRET_ID_BYTES).toString("base64url"));
}

/** The value of a new secret: 43 characters of base64url, 256 bits. */
export function generatedSecret(): string {
  return randomBytes(SECRET_BYTES).toString("base64url");
}

/** The id of a new account: 22 characters of base64url, 128 bits. */
export function accountId(): string {
  return randomBytes(ACCOUNT_ID_BYTES).toString("base64url");
}

/** `count` lower-case letters and digits, each evenly likely, for ids that people read. */
export function readableId(count: number): string {
  return textOf(READABLE, count);
}

/** `count` letters and digits of both cases, each evenly likely. */
export function alphanumeric(count: number): string {
  return textOf(ALPHANUMERIC, count);
}

function textOf(letters: string, count: number): string {
  const evenLimit = 256 - (256 % letters.length);
  let text = "";
  while (text.length < count) {
    for (const byte of randomBytes(count)) {
      if (byte < evenLimit && text.length < count) text += letters[byte % letters.length];
    }
  }
  return text;
}
