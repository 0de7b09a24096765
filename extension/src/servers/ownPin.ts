import { X509Certificate } from "node:crypto";
import { connect } from "node:tls";
import { ANY_CERTIFICATE, pinOf } from "@rport/protocol/tls/peerPin";
import type { TlsPin } from "@rport/protocol/tls/tlsPin";
import { endLate } from "./checks/endLate.ts";

/** A server that does not answer by then has other troubles than its certificate. */
const TIMEOUT_MS = 10_000;

/**
 * What the TLS key is recognised by that a server shows with a certificate of its own making, which is its
 * own authority. Undefined where it shows another kind, or none within so many milliseconds. Nothing is sent to it.
 */
export async function ownPinOf(
  url: string,
  withinMs: number = TIMEOUT_MS,
): Promise<TlsPin | undefined> {
  const { protocol, hostname, port } = new URL(url);
  if (protocol !== "https:") return undefined;
  const host = hostname.replace(/^\[|\]$/g, "");
  const socket = connect({ host, port: Number(port || 443), ...ANY_CERTIFICATE });
  endLate(socket, withinMs);
  try {
    return await new Promise((resolve) => {
      socket.once("error", () => resolve(undefined));
      socket.once("close", () => resolve(undefined));
      socket.once("secureConnect", () => resolve(pinOfOwn(socket.getPeerCertificate().raw)));
    });
  } finally {
    socket.destroy();
  }
}

function pinOfOwn(der: Buffer): TlsPin | undefined {
  const certificate = new X509Certificate(der);
  const { issuer, subject, publicKey } = certificate;
  return issuer === subject && certificate.verify(publicKey) ? pinOf(certificate) : undefined;
}
