import { createHash, createPublicKey, type KeyObject, sign } from "node:crypto";
import { isIP, SocketAddress } from "node:net";
import {
  bitString,
  bool,
  integer,
  octetString,
  oid,
  sequence,
  setOf,
  tagged,
  time,
  utf8,
} from "./der.ts";

const OIDS = {
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
  commonName: "2.5.4.3",
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  extendedKeyUsage: "2.5.29.37",
  serverAuth: "1.3.6.1.5.5.7.3.1",
} as const;

/** Context tags: of a certificate's parts, and of names in it. */
const VERSION = 0xa0;
const EXTENSIONS = 0xa3;
const DNS_NAME = 0x82;
const IP_ADDRESS = 0x87;
/** X.509 version 3, which has extensions. */
const V3 = new Uint8Array([2]);
/** `digitalSignature`, the first bit; seven of the byte are none. */
const DIGITAL_SIGNATURE = new Uint8Array([0x80]);
/** As much as all readers take for a common name. */
const COMMON_NAME_MAX = 64;

/** What a certificate says. */
export interface SelfSignedFacts {
  /** Of the curve P-256. */
  readonly key: KeyObject;
  /** Names and addresses of the server; the first is what the certificate is called. */
  readonly names: readonly string[];
  /** Random: no two certificates of a name have the same. */
  readonly serial: Uint8Array;
  readonly validFrom: Date;
  readonly expiresAt: Date;
}

/** A certificate (X.509, in PEM) that its own key has signed, for a server. */
export function selfSigned(facts: SelfSignedFacts): string {
  const algorithm = sequence(oid(OIDS.ecdsaWithSha256));
  const said = toBeSigned(facts, algorithm);
  const signature = sign("sha256", said, { key: facts.key, dsaEncoding: "der" });
  const certificate = sequence(said, algorithm, bitString(signature));
  const lines = certificate.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

function toBeSigned(
  { key, names, serial, validFrom, expiresAt }: SelfSignedFacts,
  algorithm: Buffer,
): Buffer {
  const spki = createPublicKey(key).export({ type: "spki", format: "der" });
  const name = nameOf((names[0] ?? "rport").slice(0, COMMON_NAME_MAX));
  return sequence(
    tagged(VERSION, integer(V3)),
    integer(serial),
    algorithm,
    name,
    sequence(time(validFrom), time(expiresAt)),
    name,
    spki,
    tagged(EXTENSIONS, extensions(names, spki)),
  );
}

function extensions(names: readonly string[], spki: Buffer): Buffer {
  const keyId = createHash("sha256").update(spki).digest().subarray(0, 20);
  return sequence(
    extension(OIDS.basicConstraints, sequence(), "critical"),
    extension(OIDS.keyUsage, bitString(DIGITAL_SIGNATURE, 7), "critical"),
    extension(OIDS.extendedKeyUsage, sequence(oid(OIDS.serverAuth))),
    extension(OIDS.subjectAltName, sequence(...names.map(generalName))),
    extension(OIDS.subjectKeyIdentifier, octetString(keyId)),
  );
}

function extension(id: string, value: Buffer, weight?: "critical"): Buffer {
  const critical = weight === undefined ? [] : [bool(true)];
  return sequence(oid(id), ...critical, octetString(value));
}

function nameOf(commonName: string): Buffer {
  return sequence(setOf(sequence(oid(OIDS.commonName), utf8(commonName))));
}

function generalName(name: string): Buffer {
  return isIP(name) === 0
    ? tagged(DNS_NAME, Buffer.from(name, "ascii"))
    : tagged(IP_ADDRESS, addressBytes(name));
}

/** An IP address as 4 or 16 bytes. */
function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split(".").map(Number));
  const { address: written } = new SocketAddress({ address, family: "ipv6" });
  return Buffer.from(groupsOf(written).flatMap((group) => [group >> 8, group & 0xff]));
}

/** The eight groups of an IPv6 address, whose last two may be written as an IPv4 address. */
function groupsOf(written: string): number[] {
  const plain = written.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_all, ...bytes: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = bytes.slice(0, 4).map(Number);
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  });
  const [head = "", tail] = plain.split("::");
  const numbers = (text: string): number[] =>
    text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
  const leading = numbers(head);
  const trailing = numbers(tail ?? "");
  const zeros = Array.from({ length: 8 - leading.length - trailing.length }, () => 0);
  return [...leading, ...zeros, ...trailing];
}
