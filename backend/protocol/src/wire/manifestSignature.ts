import { createPublicKey, type KeyObject, verify } from "node:crypto";
import { z } from "zod";
import { fingerprintMatches, type ServerKey } from "./serverKey.ts";

/** Separates these signatures from all others that the key ever makes. */
const DOMAIN = "rport agent manifest v1\n";
/** The SSH form of a P-256 key up to its point (RFC 5656, 3.1). */
const SSH_HEAD = Buffer.from(
  "0000001365636473612d736861322d6e69737470323536000000086e6973747032353600000041",
  "hex",
);
/** DER of a P-256 public key up to its point (RFC 5480). */
const SPKI_HEAD = Buffer.from("3059301306072a8648ce3d020106082a8648ce3d030107034200", "hex");
const POINT_BYTES = 65;

const base64 = z
  .string()
  .max(400)
  .regex(/^[A-Za-z0-9+/]+={0,2}$/);

/** What stands in `manifest.json.sig`. */
export const manifestSignatureSchema = z.object({
  /** The server's public key as SSH sends it. */
  key: base64,
  /** ASN.1 ECDSA over SHA-256 of the domain's line and the manifest's bytes. */
  signature: base64,
});

/** A signature of a manifest, and the key that made it. */
export type ManifestSignature = z.infer<typeof manifestSignatureSchema>;

/** Signs the bytes of a manifest with the server's key. */
export function signManifest(
  manifest: Buffer,
  key: Pick<ServerKey, "sign" | "getPublicSSH">,
): ManifestSignature {
  return {
    key: key.getPublicSSH().toString("base64"),
    signature: key.sign(textOf(manifest)).toString("base64"),
  };
}

/** Whether exactly these bytes were signed by the server whose fingerprint is pinned. */
export function isManifestSigned(
  manifest: Buffer,
  { key: encoded, signature }: ManifestSignature,
  pinned: string,
): boolean {
  const blob = Buffer.from(encoded, "base64");
  const key = fingerprintMatches(pinned, blob) ? publicKeyOf(blob) : undefined;
  if (key === undefined) return false;
  return verify("sha256", textOf(manifest), key, Buffer.from(signature, "base64"));
}

function textOf(manifest: Buffer): Buffer {
  return Buffer.concat([Buffer.from(DOMAIN), manifest]);
}

/** Undefined when it is no P-256 key in the form of SSH. */
function publicKeyOf(blob: Buffer): KeyObject | undefined {
  const point = blob.subarray(-POINT_BYTES);
  const hasHead = blob.subarray(0, SSH_HEAD.length).equals(SSH_HEAD);
  if (!hasHead || blob.length !== SSH_HEAD.length + POINT_BYTES) return undefined;
  try {
    const der = Buffer.concat([SPKI_HEAD, point]);
    return createPublicKey({ key: der, format: "der", type: "spki" });
  } catch {
    // no point of the curve
    return undefined;
  }
}
