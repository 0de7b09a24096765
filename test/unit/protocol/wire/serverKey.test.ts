import { createPublicKey, verify } from "node:crypto";
import {
  fingerprintMatches,
  md5Fingerprint,
  serverKeyFromSeed,
  sha256Fingerprint,
} from "@rport/protocol/wire/serverKey";
import { describe, expect, it } from "vitest";

const SEED = "test-seed";
const POINT =
  "0427bb10f0d5612c2326273da94b803e4471bf937684f9ff2977608712f11acea35e1fe0d121b0e3bc10b8a89e0901552c2e7944f75cdfa8e3ec44f1df51afb901";
const MD5 = "84:a7:15:13:9b:c3:e1:48:99:fd:82:85:54:4e:0f:4b";

describe("the server key", () => {
  const key = serverKeyFromSeed(SEED);
  const encoded = key.getPublicSSH();

  it("is the one rportd derives from the same seed", () => {
    expect(encoded.length).toBe(104);
    expect(encoded.subarray(-65).toString("hex")).toBe(POINT);
    expect(md5Fingerprint(encoded)).toBe(MD5);
  });

  it("is another one for another seed", () => {
    expect(md5Fingerprint(serverKeyFromSeed(`${SEED}x`).getPublicSSH())).not.toBe(MD5);
  });

  it("signs so that its public part verifies", () => {
    const [x, y] = [encoded.subarray(-64, -32), encoded.subarray(-32)];
    const jwk = { kty: "EC", crv: "P-256", x: x.toString("base64url"), y: y.toString("base64url") };
    const publicKey = createPublicKey({ format: "jwk", key: jwk });
    const data = Buffer.from("exchange hash");
    expect(verify("sha256", data, publicKey, key.sign(data))).toBe(true);
    expect(verify("sha256", Buffer.from("other"), publicKey, key.sign(data))).toBe(false);
  });

  it("has a SHA-256 fingerprint as OpenSSH prints it", () => {
    expect(sha256Fingerprint(encoded)).toMatch(/^SHA256:[A-Za-z0-9+/]{43}$/);
  });
});

describe("C-41: a pinned fingerprint", () => {
  const encoded = serverKeyFromSeed(SEED).getPublicSSH();
  const sha256 = sha256Fingerprint(encoded);
  const cases: [string, string, boolean][] = [
    ["in the SHA-256 form", sha256, true],
    ["in the MD5 form", MD5, true],
    ["that is empty", "", false],
    ["that is a prefix of the MD5 form, which RPort's client takes", MD5.slice(0, 44), false],
    ["that is a prefix of the SHA-256 form", sha256.slice(0, -1), false],
    ["without its SHA256 mark", sha256.slice(7), false],
    ["in capitals", MD5.toUpperCase(), false],
    ["of another key", `${MD5.slice(0, -1)}c`, false],
  ];
  it.each(cases)("%s", (_name, pinned, isMatch) => {
    expect(fingerprintMatches(pinned, encoded)).toBe(isMatch);
  });
});
