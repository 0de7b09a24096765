import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import { pinOf } from "@rport/protocol/tls/peerPin";
import type { TlsPin } from "@rport/protocol/tls/tlsPin";

/** What can be wrong with a certificate and its key. */
export type PairFaultCode =
  | "noCertificate"
  | "noKey"
  | "otherKey"
  | "unusable"
  | "notYetValid"
  | "expired";

/** Why a certificate and its key cannot be used, as a sentence without a full stop. */
export class PairFault extends Error {
  readonly code: PairFaultCode;

  constructor(code: PairFaultCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "PairFault";
    this.code = code;
  }
}

/** A certificate with what follows it in its chain, and its key: they fit, and OpenSSL takes them. */
export interface CertificatePair {
  /** PEM, the server's own certificate first. */
  readonly certificate: string;
  /** PEM. A secret. */
  readonly key: string;
  readonly pin: TlsPin;
  /** `DNS:...` and `IP Address:...`, as the certificate says; empty: none. */
  readonly names: string;
  readonly validFromMs: number;
  readonly expiresAtMs: number;
  /** It is its own authority, so nobody trusts it but by its pin. */
  readonly isSelfSigned: boolean;
}

/** Reads both from PEM. Throws `PairFault`, whose message never repeats the key. */
export function parsePair(certificate: string, key: string): CertificatePair {
  const own = parseCertificate(certificate);
  if (!own.checkPrivateKey(parseKey(key))) {
    throw new PairFault("otherKey", "the key is not the one of the certificate");
  }
  requireUsable(certificate, key);
  return {
    certificate,
    key,
    pin: pinOf(own),
    names: own.subjectAltName ?? "",
    validFromMs: own.validFromDate.getTime(),
    expiresAtMs: own.validToDate.getTime(),
    isSelfSigned: own.issuer === own.subject && own.verify(own.publicKey),
  };
}

/** Throws `PairFault` where a pair is not valid at that time (milliseconds since the epoch). */
export function requireInForce(pair: CertificatePair, nowMs: number): void {
  if (nowMs < pair.validFromMs) {
    const from = new Date(pair.validFromMs).toISOString();
    throw new PairFault("notYetValid", `the certificate is not valid before ${from}`);
  }
  if (nowMs >= pair.expiresAtMs) {
    const at = new Date(pair.expiresAtMs).toISOString();
    throw new PairFault("expired", `the certificate has expired at ${at}`);
  }
}

function parseCertificate(text: string): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch (cause) {
    throw new PairFault("noCertificate", "there is no certificate in PEM", { cause });
  }
}

function parseKey(text: string): KeyObject {
  try {
    return createPrivateKey(text);
  } catch (cause) {
    const isLocked = /passphrase|ENCRYPTED/i.test(text.slice(0, 400));
    const what = isLocked ? "the key has a passphrase; take it off" : "there is no key in PEM";
    throw new PairFault("noKey", what, { cause });
  }
}

/** Everything that OpenSSL asks for beyond that, such as a key that is long enough. */
function requireUsable(cert: string, key: string): void {
  try {
    createSecureContext({ cert, key });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : "";
    throw new PairFault("unusable", `OpenSSL does not take it (${why})`, { cause });
  }
}
