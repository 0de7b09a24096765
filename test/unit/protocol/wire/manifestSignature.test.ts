import { isManifestSigned, signManifest } from "@rport/protocol/wire/manifestSignature";
import {
  md5Fingerprint,
  serverKeyFromSeed,
  sha256Fingerprint,
} from "@rport/protocol/wire/serverKey";
import { describe, expect, it } from "vitest";

const KEY = serverKeyFromSeed("the seed of the server that hosts know");
const OTHER = serverKeyFromSeed("the seed of somebody who is in between");
const PINNED = sha256Fingerprint(KEY.getPublicSSH());
const MANIFEST = Buffer.from('{ "version": "1.2.3" }\n');

describe("a signed manifest", () => {
  it("is the server's, by either form of its fingerprint", () => {
    const signature = signManifest(MANIFEST, KEY);
    expect(isManifestSigned(MANIFEST, signature, PINNED)).toBe(true);
    expect(isManifestSigned(MANIFEST, signature, md5Fingerprint(KEY.getPublicSSH()))).toBe(true);
  });

  it("is nobody's when a byte of it is another", () => {
    const signature = signManifest(MANIFEST, KEY);
    const changed = Buffer.from(MANIFEST.toString().replace("1.2.3", "1.2.4"));
    expect(isManifestSigned(changed, signature, PINNED)).toBe(false);
    expect(isManifestSigned(Buffer.of(), signature, PINNED)).toBe(false);
  });

  it("is not the server's when another key signed it, whichever key is named", () => {
    const others = signManifest(MANIFEST, OTHER);
    expect(isManifestSigned(MANIFEST, others, PINNED)).toBe(false);
    const { key } = signManifest(MANIFEST, KEY);
    expect(isManifestSigned(MANIFEST, { ...others, key }, PINNED)).toBe(false);
  });

  it("is no other message that the server's key has signed", () => {
    const { key } = signManifest(MANIFEST, KEY);
    const signature = KEY.sign(MANIFEST).toString("base64");
    expect(isManifestSigned(MANIFEST, { key, signature }, PINNED)).toBe(false);
  });

  it.each(["", "AAAA", "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTY="])("is refused with %j as key", (key) => {
    const { signature } = signManifest(MANIFEST, KEY);
    const pinned = sha256Fingerprint(Buffer.from(key, "base64"));
    expect(isManifestSigned(MANIFEST, { key, signature }, pinned)).toBe(false);
  });
});
