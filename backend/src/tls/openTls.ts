import type { CertificateView } from "@rport/protocol/serverStatus";
import type { TlsPin } from "@rport/protocol/tls/tlsPin";
import type { Clock } from "../platform/clock.ts";
import { loggedFault } from "../platform/faults.ts";
import type { Log } from "../platform/log.ts";
import type { DataPaths } from "../store/files/dataDirectory.ts";
import type { RequireHeld } from "../store/files/durableFile.ts";
import { Certificates, type PairFiles } from "./certificates.ts";
import { type HandshakeCounts, Handshakes, type HandshakesDeps } from "./handshakes.ts";
import { ensureOwnCertificate, ownNames } from "./ownCertificate.ts";
import type { OldestTls, TlsPlace, TlsSource } from "./tlsSource.ts";

/** A certificate, and what comes before it is used. */
export interface ListenerTls {
  readonly certificates: Pick<Certificates, "pair" | "follow">;
  readonly oldest: OldestTls;
  readonly handshakes: Pick<Handshakes, "guard">;
}

/** What speaking TLS needs. */
export interface TlsDeps extends Omit<HandshakesDeps, "onFault" | "clock" | "log"> {
  readonly clock: Clock;
  readonly log: Log;
  /** Where the certificate is that the server made for itself; absent: it makes none. */
  readonly paths?: Pick<DataPaths, "ownCertificate" | "ownCertificateKey">;
  /** Awaited before such a one is made. */
  readonly requireHeld?: RequireHeld | undefined;
  /** Where others reach this server; what it makes for itself is for these names, too. */
  readonly serverUrls: readonly string[];
}

/** The certificates of a server, and who takes connections by TLS. */
export interface OpenTls {
  /** What a place speaks TLS with; undefined: it does not. */
  readonly of: (place: TlsPlace) => ListenerTls | undefined;
  /** The one in use at a place. */
  readonly certificateAt: (place: TlsPlace) => Certificates | undefined;
  /** What hosts pin that come to a place; undefined: they trust its certificate, or there is none. */
  readonly pinAt: (place: TlsPlace) => TlsPin | undefined;
  /** All in use, each once. */
  readonly views: () => readonly CertificateView[];
  readonly handshakes: Readonly<HandshakeCounts>;
  /** Looks at all files now. */
  readonly look: () => void;
}

/**
 * Opens the certificate of every place that speaks TLS. Throws a `StartFailure` that names the setting
 * of one that cannot be used.
 */
export async function openTls(
  places: readonly TlsPlace[],
  deps: TlsDeps,
  opened: AsyncDisposableStack,
): Promise<OpenTls> {
  const { sockets, strangers, clock, log, paths, serverUrls, requireHeld } = deps;
  const filesOf = (source: TlsSource): PairFiles => pairFilesOf(source, paths);
  /** Places with the same files have one certificate, whatever the oldest version that they speak. */
  const keyOf = (source: TlsSource): string => {
    const { certFile, keyFile } = filesOf(source);
    return JSON.stringify([certFile, keyFile]);
  };
  const onFault = loggedFault(log, "TLS handshakes");
  const handshakes = new Handshakes({ sockets, strangers, onFault, clock, log });
  const open = new Map<string, Certificates>();
  for (const { tls } of places) {
    if (tls === undefined || open.has(keyOf(tls))) continue;
    const files = filesOf(tls);
    const renew = async () => {
      await requireHeld?.();
      await ensureOwnCertificate(files, { names: ownNames(serverUrls), nowMs: clock.now() });
    };
    if (files.isOwn) await renew();
    const certificates = new Certificates({
      files,
      renew: files.isOwn ? renew : undefined,
      clock,
      log,
    });
    opened.defer(() => certificates.close());
    open.set(keyOf(tls), certificates);
  }
  const certificateAt = ({ tls }: TlsPlace) =>
    tls === undefined ? undefined : open.get(keyOf(tls));
  return {
    of: (place) => {
      const certificates = certificateAt(place);
      const { oldest } = place.tls ?? {};
      return certificates === undefined || oldest === undefined
        ? undefined
        : { certificates, oldest, handshakes };
    },
    certificateAt,
    pinAt: (place) =>
      place.tls?.kind === "selfSigned" ? certificateAt(place)?.pair.pin : undefined,
    views: () => [...open.values()].map(viewOf),
    handshakes: handshakes.counts,
    look: () => {
      for (const certificates of open.values()) certificates.look();
    },
  };
}

function pairFilesOf(source: TlsSource, paths: TlsDeps["paths"]): PairFiles {
  if (source.kind === "selfSigned") {
    if (paths === undefined) throw new Error("there is no place for a certificate of its own");
    const { ownCertificate: certFile, ownCertificateKey: keyFile } = paths;
    return { certFile, keyFile, section: "server", isOwn: true };
  }
  const { certFile, keyFile, section } = source;
  return { certFile, keyFile, section, isOwn: false };
}

function viewOf({ pair, daysLeft, section }: Certificates): CertificateView {
  return {
    section,
    pin: pair.pin,
    names: pair.names,
    expires_at: new Date(pair.expiresAtMs).toISOString(),
    days_left: daysLeft,
    self_signed: pair.isSelfSigned,
  };
}
