import {
  createECDH,
  createHash,
  createPrivateKey,
  type KeyObject,
  sign,
  timingSafeEqual,
} from "node:crypto";

/** The server's key: P-256 ECDSA, the only type an RPort server has. */
export interface ServerKey {
  readonly type: "ecdsa-sha2-nistp256";
  /** The public key as SSH sends it (104 bytes); fingerprints are taken over this. */
  getPublicSSH(): Buffer;
  /** An ASN.1 ECDSA signature over SHA-256 of `data`. */
  sign(data: Buffer): Buffer;
}

/** Order of the P-256 group (FIPS 186-4, D.1.2.3). */
const GROUP_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
/** Rounds rportd spends on the seed before it draws the key. */
const STRETCH_ROUNDS = 2048;
/** Bytes drawn for the private key: 256 bits and 64 more, so that the modulus leaves no bias. */
const DRAWN_BYTES = 40;

/**
 * The key rportd would make of the same `key_seed`, so that fingerprints pinned on hosts stay valid
 * when this server replaces it.
 */
export function serverKeyFromSeed(seed: string): ServerKey {
  const scalar = (BigInt(`0x${drawBytes(seed).toString("hex")}`) % (GROUP_ORDER - 1n)) + 1n;
  const secret = Buffer.from(scalar.toString(16).padStart(64, "0"), "hex");
  const curve = createECDH("prime256v1");
  curve.setPrivateKey(secret);
  const point = curve.getPublicKey();
  const key = privateKey(secret, point);
  const encoded = Buffer.concat([
    sshString("ecdsa-sha2-nistp256"),
    sshString("nistp256"),
    sshString(point),
  ]);
  return {
    type: "ecdsa-sha2-nistp256",
    getPublicSSH: () => encoded,
    sign: (data) => sign("sha256", data, key),
  };
}

/** `SHA256:` and unpadded base64, as OpenSSH prints it. */
export function sha256Fingerprint(publicKey: Buffer): string {
  const digest = createHash("sha256").update(publicKey).digest("base64");
  return `SHA256:${digest.replace(/=+$/, "")}`;
}

/** 16 lower-case hex pairs joined by colons (47 characters), as RPort prints it. */
export function md5Fingerprint(publicKey: Buffer): string {
  const digest = createHash("md5").update(publicKey).digest("hex");
  return digest.replace(/(..)(?=.)/g, "$1:");
}

/**
 * Whether `pinned` is the whole fingerprint of the key, in the SHA-256 or in the MD5 form.
 * A prefix, which RPort's own client accepts, and an empty text never match.
 */
export function fingerprintMatches(pinned: string, publicKey: Buffer): boolean {
  const wanted = Buffer.from(pinned.trim());
  return [sha256Fingerprint(publicKey), md5Fingerprint(publicKey)].some((text) => {
    const actual = Buffer.from(text);
    return actual.length === wanted.length && timingSafeEqual(actual, wanted);
  });
}

/**
 * rportd's deterministic stream: one half of each SHA-512 is the next state, the other is output.
 */
function drawBytes(seed: string): Buffer {
  let state: Buffer = Buffer.from(seed, "utf8");
  for (let round = 0; round < STRETCH_ROUNDS; round += 1) state = sha512(state).subarray(0, 32);
  let drawn = Buffer.alloc(0);
  while (drawn.length < DRAWN_BYTES) {
    const digest = sha512(state);
    state = digest.subarray(0, 32);
    drawn = Buffer.concat([drawn, digest.subarray(32)]);
  }
  return drawn.subarray(0, DRAWN_BYTES);
}

function sha512(data: Buffer): Buffer {
  return createHash("sha512").update(data).digest();
}

function privateKey(secret: Buffer, point: Buffer): KeyObject {
  return createPrivateKey({
    format: "jwk",
    key: {
      kty: "EC",
      crv: "P-256",
      d: secret.toString("base64url"),
      x: point.subarray(1, 33).toString("base64url"),
      y: point.subarray(33).toString("base64url"),
    },
  });
}

function sshString(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
