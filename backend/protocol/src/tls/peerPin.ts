import { createHash, timingSafeEqual, X509Certificate } from "node:crypto";
import { connect, type TLSSocket } from "node:tls";
import type { TlsPin } from "./tlsPin.ts";

/** Another key was shown than a pinned one. The pins are in the message: they are no secrets. */
export class WrongTlsPin extends Error {
  readonly expected: readonly TlsPin[];
  readonly actual: TlsPin;

  constructor(expected: readonly TlsPin[], actual: TlsPin) {
    const known = expected.join(" or ");
    super(`the server shows another TLS key (${actual}) than the pinned one (${known})`);
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
  /** The key has to be one of these; names, dates and authorities are not looked at. */
  readonly pins: readonly TlsPin[];
}

/** With these Node takes any certificate: the pin takes the place of the chain, which is none of ours. */
export const ANY_CERTIFICATE = { rejectUnauthorized: false, ALPNProtocols: ["http/1.1"] };

/**
 * Connects by TLS. `done` is called once: with the socket as soon as the other end has proven to have a
 * pinned key, so nothing is sent to anybody else; or with why not, `WrongTlsPin` for another key.
 * Returns the socket at once, so that it can be ended while it connects.
 */
export function connectPinned(
  { host, port, pins }: PinnedPlace,
  done: (error: Error | undefined, socket: TLSSocket) => void,
): TLSSocket {
  const socket = connect({ host, port, ...ANY_CERTIFICATE });
  checkPin(socket, pins).then(
    () => done(undefined, socket),
    (error: unknown) => done(error instanceof Error ? error : new Error(String(error)), socket),
  );
  return socket;
}

/**
 * Resolves when the other end of a connection that was just begun has proven to have a pinned key;
 * otherwise ends the connection and rejects, with `WrongTlsPin` for another key.
 */
export function checkPin(socket: TLSSocket, pins: readonly TlsPin[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      socket.destroy();
      reject(error);
    };
    socket.once("secureConnect", () => {
      const actual = peerPinOf(socket);
      if (actual === undefined) fail(new Error("the server shows no certificate"));
      else if (pins.some((pin) => isSamePin(pin, actual))) resolve();
      else fail(new WrongTlsPin(pins, actual));
    });
    socket.once("error", fail);
    socket.once("close", () => fail(new Error("the connection was closed")));
  });
}
