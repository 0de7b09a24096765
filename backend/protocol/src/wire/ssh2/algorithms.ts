/**
 * What we offer in a key exchange. Every Go RPort peer speaks AES-GCM, so nothing else is needed,
 * and only AES-GCM has our packet limits. `kex-strict-*` closes the prefix truncation attack
 * (Terrapin) between our own peers; `ext-info` is left out because nobody needs it.
 */
const KEY_EXCHANGES = [
  "curve25519-sha256",
  "curve25519-sha256@libssh.org",
  "ecdh-sha2-nistp256",
] as const;
const STRICT_MARKS = {
  server: "kex-strict-s-v00@openssh.com",
  client: "kex-strict-c-v00@openssh.com",
} as const;

/** The key types, ciphers, ... of one direction. */
const DIRECTION = {
  cipher: ["aes128-gcm@openssh.com", "aes256-gcm@openssh.com"],
  /** Unused with AES-GCM, but the list must not be empty. */
  mac: ["hmac-sha2-256"],
  compress: ["none"],
  lang: [],
};

/** Which side of the SSH connection we are: the backend is `server`, the agent `client`. */
export type Role = "server" | "client";

/** The lists of algorithms of one role, in our order of preference. */
export function algorithmsFor(role: Role) {
  return {
    kex: [...KEY_EXCHANGES, STRICT_MARKS[role]],
    serverHostKey: ["ecdsa-sha2-nistp256"],
    cs: DIRECTION,
    sc: DIRECTION,
  };
}
