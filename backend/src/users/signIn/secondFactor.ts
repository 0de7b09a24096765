import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  hkdfSync,
  type KeyObject,
} from "node:crypto";
import { RportError } from "@rport/protocol/errors";
import { Secret, TOTP } from "otpauth";
import type { Clock } from "../../platform/clock.ts";
import { bytes, readableId } from "../../platform/random.ts";
import type { TotpRecord } from "../../store/records/userRecord.ts";
import { qrPng } from "./qrPng.ts";

const ISSUER = "RPort";
const PERIOD_S = 30;
const SECRET_BYTES = 20;
/** A code of the period before, and one of the next, count: clocks differ. */
const SKEW = 1;
const RECOVERY_CODES = 10;
const HALF = 5;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** What a code is good for, if it is right: to be taken by an edit, once. */
export type TakenCode =
  | { readonly kind: "code"; readonly step: number }
  | { readonly kind: "recovery"; readonly hash: string };

/** A new second factor: what is kept, and what its user is shown once. */
export interface NewFactor {
  readonly record: TotpRecord;
  readonly shown: {
    readonly secret: string;
    readonly uri: string;
    /** PNG in base64. */
    readonly qr: string;
    readonly recovery_codes: string[];
  };
}

/**
 * Codes of authenticator apps (RFC 6238: SHA-1, six digits, 30 seconds), and recovery codes. The
 * secret has to be known to check a code, so it is kept sealed, with a key that is in another file.
 */
export class SecondFactor {
  readonly #sealKey: Buffer;
  readonly #codeKey: Buffer;
  readonly #clock: Pick<Clock, "now">;

  constructor(serverKey: KeyObject, clock: Pick<Clock, "now">) {
    this.#sealKey = derived(serverKey, "rport second factor");
    this.#codeKey = derived(serverKey, "rport recovery codes");
    this.#clock = clock;
  }

  /** A factor of its own for the user; nothing is kept yet. */
  create(username: string): NewFactor {
    const secret = new Secret({ buffer: Uint8Array.from(bytes(SECRET_BYTES)).buffer });
    const codes = Array.from({ length: RECOVERY_CODES }, recoveryCode);
    const uri = totpOf(secret, username).toString();
    return {
      record: {
        secret: this.#seal(secret.base32),
        confirmed: false,
        last_step: null,
        recovery_hashes: codes.map((code) => this.#hashOf(code)),
      },
      shown: {
        secret: secret.base32,
        uri,
        qr: qrPng(uri).toString("base64"),
        recovery_codes: codes,
      },
    };
  }

  /** Whether the text can be a code of an app, of which there are few enough to guess. */
  static isOfApp(text: string): boolean {
    return /^\d{6}$/.test(plain(text));
  }

  /** What a code is good for; undefined: nothing, also when it was taken before. */
  check(record: TotpRecord, text: string): TakenCode | undefined {
    const code = plain(text);
    const isOfApp = SecondFactor.isOfApp(code);
    return isOfApp ? this.#checkCode(record, code) : this.#checkRecovery(record, code);
  }

  #checkCode({ secret, last_step: last }: TotpRecord, token: string): TakenCode | undefined {
    const timestamp = this.#clock.now();
    const totp = totpOf(Secret.fromBase32(this.#open(secret)));
    const delta = totp.validate({ token, timestamp, window: SKEW });
    if (delta === null) return undefined;
    const step = Math.floor(timestamp / 1_000 / PERIOD_S) + delta;
    return last !== null && step <= last ? undefined : { kind: "code", step };
  }

  /** Only a factor that counts has recovery codes that count. */
  #checkRecovery(record: TotpRecord, code: string): TakenCode | undefined {
    const hash = this.#hashOf(code);
    const isRight = record.confirmed && record.recovery_hashes.includes(hash);
    return isRight ? { kind: "recovery", hash } : undefined;
  }

  #hashOf(code: string): string {
    return createHmac("sha256", this.#codeKey).update(plain(code)).digest("base64url");
  }

  #seal(text: string): string {
    const nonce = bytes(NONCE_BYTES);
    const cipher = createCipheriv("aes-256-gcm", this.#sealKey, nonce);
    const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString("base64url");
  }

  #open(text: string): string {
    const all = Buffer.from(text, "base64url");
    const tag = all.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES);
    const options = { authTagLength: TAG_BYTES };
    const nonce = all.subarray(0, NONCE_BYTES);
    const decipher = createDecipheriv("aes-256-gcm", this.#sealKey, nonce, options);
    try {
      decipher.setAuthTag(tag);
      const plain = decipher.update(all.subarray(NONCE_BYTES + TAG_BYTES));
      return Buffer.concat([plain, decipher.final()]).toString("utf8");
    } catch (cause) {
      throw new RportError("INTERNAL", "A second factor was sealed with another key.", { cause });
    }
  }
}

function totpOf(secret: Secret, label = ISSUER): TOTP {
  return new TOTP({ issuer: ISSUER, label, secret, digits: 6, period: PERIOD_S });
}

/** However somebody wrote it. */
function plain(code: string): string {
  return code.replaceAll(/[\s-]/g, "").toLowerCase();
}

function recoveryCode(): string {
  return `${readableId(HALF)}-${readableId(HALF)}`;
}

function derived(key: KeyObject, purpose: string): Buffer {
  return Buffer.from(hkdfSync("sha256", key, Buffer.alloc(0), purpose, 32));
}
