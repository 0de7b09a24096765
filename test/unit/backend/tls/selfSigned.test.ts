import { execFileSync } from "node:child_process";
import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pinOf } from "@rport/protocol/tls/peerPin";
import { describe, expect, it } from "vitest";
import { integer, oid, time } from "../../../../backend/src/tls/der.ts";
import { selfSigned } from "../../../../backend/src/tls/selfSigned.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";

const { privateKey: key, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const NAMES = ["rport.example.com", "localhost", "127.0.0.1", "::1", "2001:db8::10:0:1"];

function made(serial = Buffer.from("80ff00", "hex"), expiresAt = "2049-12-31T23:59:59Z"): string {
  const validFrom = new Date("2026-01-02T03:04:05.678Z");
  return selfSigned({ key, names: NAMES, serial, validFrom, expiresAt: new Date(expiresAt) });
}

function hasOpenssl(): boolean {
  try {
    execFileSync("openssl", ["version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

describe("PAIR-11: a certificate that a server makes for itself", () => {
  it("says what it was told to, as Node reads it", () => {
    const read = new X509Certificate(made());
    expect(read.subject).toBe("CN=rport.example.com");
    expect(read.issuer).toBe(read.subject);
    expect(read.serialNumber).toBe("80FF00");
    expect(read.validFromDate).toEqual(new Date("2026-01-02T03:04:05Z"));
    expect(read.validToDate).toEqual(new Date("2049-12-31T23:59:59Z"));
    expect(read.subjectAltName).toBe(
      "DNS:rport.example.com, DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, IP Address:2001:DB8:0:0:0:10:0:1",
    );
    expect([read.ca, read.keyUsage]).toEqual([false, ["1.3.6.1.5.5.7.3.1"]]);
    expect(read.verify(publicKey)).toBe(true);
    expect(read.checkPrivateKey(key)).toBe(true);
    for (const name of ["rport.example.com", "localhost"]) expect(read.checkHost(name)).toBe(name);
    for (const ip of ["127.0.0.1", "::1", "2001:db8::10:0:1"])
      expect(read.checkIP(ip)).toBeDefined();
    expect(read.checkHost("example.com")).toBeUndefined();
  });

  it("may last longer than two digits of a year", () => {
    const read = new X509Certificate(made(undefined, "2050-01-01T00:00:00Z"));
    expect(read.validToDate).toEqual(new Date("2050-01-01T00:00:00Z"));
  });

  it.skipIf(!hasOpenssl())(
    "is strictly as OpenSSL wants it, has the pin that OpenSSL tells, and is trusted by itself (skipped without openssl)",
    async () => {
      await using directory = await tempDirectory();
      const file = join(directory.path, "own.crt");
      writeFileSync(file, made());
      const openssl = (...args: string[]): string => execFileSync("openssl", args).toString();
      const asText = openssl("x509", "-in", file, "-noout", "-text");
      expect(asText).toContain("Signature Algorithm: ecdsa-with-SHA256");
      expect(asText).toContain("X509v3 Basic Constraints: critical");
      expect(asText).toContain("Digital Signature");
      const verified = openssl(
        "verify",
        "-x509_strict",
        "-partial_chain",
        "-purpose",
        "sslserver",
        "-verify_hostname",
        "rport.example.com",
        "-CAfile",
        file,
        file,
      );
      expect(verified).toContain(": OK");
      const spki = execFileSync("openssl", ["x509", "-in", file, "-noout", "-pubkey"]);
      const der = execFileSync("openssl", ["pkey", "-pubin", "-outform", "DER"], { input: spki });
      const digest = execFileSync("openssl", ["dgst", "-sha256", "-binary"], { input: der });
      expect(pinOf(new X509Certificate(made()))).toBe(`sha256//${digest.toString("base64")}`);
    },
  );
});

describe("DER", () => {
  it.each([
    ["00", "020100"],
    ["7f", "02017f"],
    ["80", "02020080"],
    ["0000ff01", "020300ff01"],
  ])("writes the number %s in the fewest bytes, never negative", (bytes, der) => {
    expect(integer(Buffer.from(bytes, "hex")).toString("hex")).toBe(der);
  });

  it("writes identifiers and moments as the standard's examples", () => {
    expect(oid("1.2.840.113549").toString("hex")).toBe("06062a864886f70d");
    expect(time(new Date("2049-12-31T23:59:59Z")).toString("latin1")).toBe("\x17\x0d491231235959Z");
    expect(time(new Date("2050-01-01T00:00:00Z")).toString("latin1")).toBe(
      "\x18\x0f20500101000000Z",
    );
  });
});
