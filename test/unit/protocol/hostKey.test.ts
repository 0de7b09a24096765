import { createPrivateKey, generateKeyPairSync, sign } from "node:crypto";
import {
  decodeHostKey,
  encodeHostKey,
  hostKeyProofText,
  machineHint,
} from "@rport/protocol/hostKey";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

const { privateKey } = generateKeyPairSync("ed25519");
const PROOF = { nonce: "n".repeat(43), serverFingerprint: "SHA256:x", clientId: "machine-1" };

describe("a host key", () => {
  it("has the form and the fingerprint that OpenSSH gives it", () => {
    // The key of RFC 8032, test 1.
    const d = Buffer.from(
      "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
      "hex",
    );
    const key = createPrivateKey({
      key: Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), d]),
      format: "der",
      type: "pkcs8",
    });
    const text = encodeHostKey(key);
    expect(text).toBe("AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea");
    expect(decodeHostKey(text)?.fingerprint).toBe(
      "SHA256:bbXpuKG6zhzdmnxq256TlqzFBzRl2f6OOg722cYNbU8",
    );
  });

  it("verifies what its owner signed, for this nonce, server and client id only", () => {
    const key = decodeHostKey(encodeHostKey(privateKey));
    const signature = sign(null, hostKeyProofText(PROOF), privateKey).toString("base64");
    expect(key?.verifies(hostKeyProofText(PROOF), signature)).toBe(true);
    for (const other of [
      { nonce: "m".repeat(43) },
      { serverFingerprint: "SHA256:y" },
      { clientId: "machine-2" },
    ]) {
      expect(key?.verifies(hostKeyProofText({ ...PROOF, ...other }), signature)).toBe(false);
    }
    expect(key?.verifies(hostKeyProofText(PROOF), "")).toBe(false);
  });

  it("is read in exactly one form, whatever else arrives", () => {
    const text = encodeHostKey(privateKey);
    for (const bad of ["", `${text}=`, ` ${text}`, text.slice(0, -4), `${text}AAAA`]) {
      expect(decodeHostKey(bad)).toBeUndefined();
    }
    fc.assert(fc.property(fc.string(), (any) => decodeHostKey(any) === undefined));
  });
});

it("a hint tells machines apart and does not contain their ids", () => {
  expect(machineHint("a")).toMatch(/^[0-9A-Za-z_-]{43}$/);
  expect(machineHint("a")).not.toBe(machineHint("b"));
});
