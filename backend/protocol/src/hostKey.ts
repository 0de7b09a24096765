import { createHash, createPublicKey, type KeyObject, verify } from "node:crypto";

/** The wire form of every Ed25519 key in SSH begins with this: its type, and the key's length. */
const SSH_HEAD = Buffer.concat([
  Buffer.from([0, 0, 0, 11]),
  Buffer.from("ssh-ed25519"),
  Buffer.from([0, 0, 0, 32]),
]);
/** DER of an Ed25519 public key up to the key itself (RFC 8410). */
const SPKI_HEAD = Buffer.from("302a300506032b6570032100", "hex");
const KEY_BYTES = 32;
/** Separates these signatures from all others that the key may ever make. */
const PROOF_DOMAIN = "rport host key v1";
/** Separates the hint from other hashes of the same machine id. */
const HINT_DOMAIN = "rport machine hint v1";

/** The public key of an agent's host. */
export interface AgentHostKey {
  /** `SHA256:` and unpadded base64, as `ssh-keygen -l` prints it. */
  readonly fingerprint: string;
  /** Whether the owner of the key signed exactly this. */
  verifies(text: Buffer, signature: string): boolean;
}

/** What the owner of a host key signs: bound to one challenge, one server and one client id. */
export interface HostKeyProof {
  /** Drawn by the server for this one registration. */
  readonly nonce: string;
  /** `SHA256:` fingerprint of the server's key, as the agent saw it in the key exchange. */
  readonly serverFingerprint: string;
  /** `ID` of `new_connection`, as it was sent. */
  readonly clientId: string;
}

/** The bytes to be signed. Only the last part may contain anything. */
export function hostKeyProofText({ nonce, serverFingerprint, clientId }: HostKeyProof): Buffer {
  return Buffer.from([PROOF_DOMAIN, nonce, serverFingerprint, clientId].join("\n"));
}

/** The public half in the form of SSH, base64: what `HostKey` carries. */
export function encodeHostKey(key: KeyObject): string {
  const raw = createPublicKey(key).export({ type: "spki", format: "der" }).subarray(-KEY_BYTES);
  return Buffer.concat([SSH_HEAD, raw]).toString("base64");
}

/** Reads what `HostKey` carries. Undefined when it is no Ed25519 key in that form. */
export function decodeHostKey(text: string): AgentHostKey | undefined {
  const encoded = Buffer.from(text, "base64");
  const raw = encoded.subarray(SSH_HEAD.length);
  const hasHead = encoded.subarray(0, SSH_HEAD.length).equals(SSH_HEAD);
  if (!hasHead || raw.length !== KEY_BYTES || encoded.toString("base64") !== text) return undefined;
  const der = Buffer.concat([SPKI_HEAD, raw]);
  const key = createPublicKey({ key: der, format: "der", type: "spki" });
  const digest = createHash("sha256").update(encoded).digest("base64");
  return {
    fingerprint: `SHA256:${digest.replace(/=+$/, "")}`,
    verifies: (signed, signature) => verify(null, signed, key, Buffer.from(signature, "base64")),
  };
}

/** What `MachineHint` carries: tells machines apart without telling their ids. */
export function machineHint(machineId: string): string {
  return createHash("sha256").update(`${HINT_DOMAIN}\n${machineId}`).digest("base64url");
}
