import { X509Certificate } from "node:crypto";
import { lookup } from "node:dns/promises";
import { connect, isIP } from "node:net";
import { connect as connectTls } from "node:tls";
import { ANY_CERTIFICATE, pinOf } from "@rport/protocol/tls/peerPin";
import type { TlsPin } from "@rport/protocol/tls/tlsPin";
import { t } from "@vscode/l10n";

/** A server that takes longer for one step has failed it. */
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

/** The real ones. */
export const networkProbes: NetworkProbes = {
  async resolve(host) {
    const found = await lookup(host, { all: true });
    return found.map(({ address }) => address);
  },
  reach(place) {
    return new Promise((resolve, reject) => {
      const socket = connect(place);
      socket.setTimeout(STEP_MS, () => socket.destroy(timedOut()));
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.destroy();
        resolve();
      });
    });
  },
  showTls({ host, port }, ca) {
    return new Promise((resolve, reject) => {
      const trusted = ca === undefined ? {} : { ca: [...ca] };
      const socket = connectTls({ host, port, ...nameOf(host), ...ANY_CERTIFICATE, ...trusted });
      socket.setTimeout(STEP_MS, () => socket.destroy(timedOut()));
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
  },
};

/** An address is no name that a certificate is asked for by. */
function nameOf(host: string): { readonly servername?: string } {
  return isIP(host) === 0 ? { servername: host } : {};
}

function timedOut(): Error {
  return Object.assign(new Error(`no answer in ${STEP_MS / 1_000} s`), { code: "ETIMEDOUT" });
}
