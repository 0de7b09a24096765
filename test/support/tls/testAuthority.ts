import {
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from "node:crypto";
import { pinOf } from "@rport/protocol/tls/peerPin";
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
} from "../../../backend/src/tls/der.ts";
import type { TestCertificate } from "./testCertificate.ts";

const DAY_MS = 86_400_000;
const ECDSA_WITH_SHA256 = sequence(oid("1.2.840.10045.4.3.2"));
const V3 = tagged(0xa0, integer(new Uint8Array([2])));
/** `keyCertSign`, the sixth bit. */
const SIGNS_CERTIFICATES = bitString(new Uint8Array([0x04]), 2);

/** An authority as companies have one: it vouches for servers, and is known to nobody else. */
export interface TestAuthority {
  /** Its own certificate, as PEM. */
  readonly certificate: string;
  /** A certificate that it has signed, with the key: for that name, else for 127.0.0.1. */
  issue(name?: string): TestCertificate;
}

/** Makes one, of a new key. */
export function testAuthority(): TestAuthority {
  const key = newKey();
  const name = `test authority ${randomBytes(4).toString("hex")}`;
  const critical = bool(true);
  const certificate = signed(key, {
    issuer: name,
    subject: name,
    of: key,
    extensions: [
      sequence(oid("2.5.29.19"), critical, octetString(sequence(bool(true)))),
      sequence(oid("2.5.29.15"), critical, octetString(SIGNS_CERTIFICATES)),
    ],
  });
  return { certificate, issue: (host) => issued(key, name, host) };
}

function issued(authority: KeyObject, issuer: string, host?: string): TestCertificate {
  const of = newKey();
  const address = tagged(0x87, Buffer.from([127, 0, 0, 1]));
  const names = sequence(host === undefined ? address : tagged(0x82, Buffer.from(host)));
  const certificate = signed(authority, {
    issuer,
    subject: "server",
    of,
    extensions: [sequence(oid("2.5.29.17"), octetString(names))],
  });
  const key = of.export({ type: "pkcs8", format: "pem" }).toString();
  return { certificate, key, pin: pinOf(new X509Certificate(certificate)) };
}

interface Said {
  readonly issuer: string;
  readonly subject: string;
  readonly of: KeyObject;
  readonly extensions: readonly Buffer[];
}

function signed(key: KeyObject, { issuer, subject, of, extensions }: Said): string {
  const [from, to] = [new Date(Date.now() - DAY_MS), new Date(Date.now() + 30 * DAY_MS)];
  const said = sequence(
    V3,
    integer(randomBytes(16)),
    ECDSA_WITH_SHA256,
    nameOf(issuer),
    sequence(time(from), time(to)),
    nameOf(subject),
    publicPart(of),
    tagged(0xa3, sequence(...extensions)),
  );
  const signature = sign("sha256", said, { key, dsaEncoding: "der" });
  const der = sequence(said, ECDSA_WITH_SHA256, bitString(signature));
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

function newKey(): KeyObject {
  return generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
}

function publicPart(key: KeyObject): Buffer {
  return createPublicKey(key).export({ type: "spki", format: "der" });
}

function nameOf(commonName: string): Buffer {
  return sequence(setOf(sequence(oid("2.5.4.3"), utf8(commonName))));
}
