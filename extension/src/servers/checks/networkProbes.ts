import { X509Certificate } from "node:crypto";
import { lookup } from "node:dns/promises";
import { connect, isIP } from "node:net";
import { connect as connectTls } from "node:tls";
import { ANY_CERTIFICATE, pinOf } from "@rport/protocol/tls/peerPin";
import type { TlsPin } from "@rport/protocol/tls/tlsPin";
import { t } from "@vscode/l10n";
import { endLate } from "./endLate.ts";

/** For one step. */
const STEP_MS = 5_000;

/** Where a server listens. */
export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** What a server shows of TLS, whether it is trusted or not. */
export interface ShownTls {
  /** Such as `TLSv1.3`. */
  readonly protocol: string;
  readonly pin: TlsPin;
  /** Since the epoch. */
  readonly expiresAtMs: number;
  /** Why its certificate is not trusted, in Node's words; undefined: it is. */
  readonly distrust: string | undefined;
}

/** The steps of a connection, each by itself. They reject as Node's own functions do. */
export interface NetworkProbes {
  /** The addresses of a name. */
  resolve(host: string): Promise<readonly string[]>;
  /** Opens a TCP connection and closes it. */
  reach(place: HostAndPort): Promise<void>;
  /** What is shown of TLS there, and whether these vouch for it; without any, those whom Node trusts. Nothing is sent inside. */
  showTls(place: HostAndPort, ca?: readonly string[]): Promise<ShownTls>;
}

/** The real ones; a server that takes longer than so many milliseconds for one step has failed it. */
export function networkProbesWithin(stepMs: number): NetworkProbes {
  return {
    async resolve(host) {
      const found = await lookup(host, { all: true });
      return found.map(({ address }) => address);
    },
    reach(place) {
      return new Promise((resolve, reject) => {
        const socket = connect(place);
        endLate(socket, stepMs);
        socket.once("error", reject);
        socket.once("connect", () => {
          socket.destroy();
          resolve();
        });
      });
    },
    showTls: (place, ca) => shownTls(place, stepMs, ca),
  };
}

/** What the editor asks with. */
export const networkProbes = networkProbesWithin(STEP_MS);

function shownTls(
  { host, port }: HostAndPort,
  withinMs: number,
  ca?: readonly string[],
): Promise<ShownTls> {
  return new Promise((resolve, reject) => {
    const trusted = ca === undefined ? {} : { ca: [...ca] };
    const socket = connectTls({ host, port, ...nameOf(host), ...ANY_CERTIFICATE, ...trusted });
    endLate(socket, withinMs);
    socket.once("error", reject);
    socket.once("close", () => reject(new Error(t("the connection was closed"))));
    socket.once("secureConnect", () => {
      const certificate = new X509Certificate(socket.getPeerCertificate().raw);
      resolve({
        protocol: socket.getProtocol() ?? "TLS",
        pin: pinOf(certificate),
        expiresAtMs: Date.parse(certificate.validTo),
        distrust: socket.authorized ? undefined : String(socket.authorizationError),
      });
      socket.destroy();
    });
  });
}

/** An address is no name that a certificate is asked for by. */
function nameOf(host: string): { readonly servername?: string } {
  return isIP(host) === 0 ? { servername: host } : {};
}
