import { sshString } from "../faults/rawPeer.ts";

/** What our clients and servers agree on, in the order of KEXINIT's lists. */
const LISTS = [
  "curve25519-sha256",
  "ecdsa-sha2-nistp256",
  "aes128-gcm@openssh.com",
  "aes128-gcm@openssh.com",
  "hmac-sha2-256",
  "hmac-sha2-256",
  "none",
  "none",
  "",
  "",
];

/**
 * A KEXINIT (RFC 4253 7.1) whose list of exchanges has `junkBytes` of names that nobody knows in front of the
 * right one. The first of them has a sign that makes an engine keep two bytes for each character.
 */
export function kexinit(junkBytes = 0): Buffer {
  const [first = "", ...others] = LISTS;
  const junk = junkBytes > 0 ? `\u2603${"x".repeat(junkBytes - 4)},` : "";
  const lists = [junk + first, ...others].map(sshString);
  return Buffer.concat([Buffer.of(20), Buffer.alloc(16, 7), ...lists, Buffer.alloc(5)]);
}

/** A payload as a packet in clear text, as before the first keys. */
export function clearPacket(payload: Buffer): Buffer {
  const padding = 4 + ((8 - ((payload.length + 9) % 8)) % 8);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(1 + payload.length + padding);
  head[4] = padding;
  return Buffer.concat([head, payload, Buffer.alloc(padding)]);
}
