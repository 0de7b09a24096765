import { createHash, timingSafeEqual, X509Certificate } from "node:crypto";
import { connect, type TLSSocket } from "node:tls";
import type { TlsPin } from "./tlsPin.ts";

/** Another key was shown than the pinned one. Both pins are in the message: neither is a secret. */
export class WrongTlsPin extends Error {
  readonly expected: TlsPin;
  readonly actual: TlsPin;

  constructor(expected: TlsPin, actual: TlsPin) {
    super(`the server shows another TLS key (${actual}) than the pinned one (${expected})`);
    this.name = "WrongTlsPin";
    this.expected = expected;
    this.actual = actual;
  }
}

/** The pin of a certificate's key. */
export function pinOf({ publicKey }: Pick<X509Certificate, "publicKey">): TlsPin {
  const spki = publicKey.export({ type: "spki", format: "der" });
  return `sha256//${createHash("sha256").update(spki).digest("base64")}`;
}

/** The pin of the key that the other end has proven to have; undefined: it has shown none. */
export function peerPinOf(socket: Pick<TLSSocket, "getPeerCertificate">): TlsPin | undefined {
  // Bun knows this call only; it answers an object without fields where there is no certificate.
  const { raw } = socket.getPeerCertificate(false) as { raw?: Buffer };
  return raw === undefined ? undefined : pinOf(new X509Certificate(raw));
}

/** Whether two pins are the same. */
export function isSamePin(one: TlsPin, other: TlsPin): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Where a pinned connection goes. */
export interface PinnedPlace {
  readonly host: string;
  readonly port: number;
  /** The key has to be this one; names, dates and authorities are not looked at. */
  readonly pin: TlsPin;
}

/**
 * Connects by TLS. `done` is called once: with the socket as soon as the other end has proven to have
 * the pinned key, so nothing is sent to anybody else; or with why not, `WrongTlsPin` for another key.
 * Returns the socket at once, so that it can be ended while it connects.
 */
export function connectPinned(
  { host, port, pin }: PinnedPlace,
  done: (error: Error | undefined, socket: TLSSocket) => void,
): TLSSocket {
  // The pin takes the place of the chain: what is no chain of ours would never get as far.
  const socket = connect({ host, port, rejectUnauthorized: false, ALPNProtocols: ["http/1.1"] });
  let isOver = false;
  const finish = (error?: Error): void => {
    if (isOver) return;
    isOver = true;
    if (error !== undefined) socket.destroy();
    done(error, socket);
  };
  socket.once("secureConnect", () => {
    const actual = peerPinOf(socket);
    if (actual === undefined) finish(new Error("the server shows no certificate"));
    else finish(isSamePin(actual, pin) ? undefined : new WrongTlsPin(pin, actual));
  });
  socket.once("error", finish);
  socket.once("close", () => finish(new Error("the connection was closed")));
  return socket;
}
