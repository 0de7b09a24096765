import { createPeerOf, proxyRule } from "../http/caller/peerAddress.ts";
import { createAloneApp } from "../http/installers/aloneApp.ts";
import { RequestTurns } from "../http/requestTurns.ts";
import { UnreadAnswers } from "../http/unreadAnswers.ts";
import { Limits } from "../limits/limits.ts";
import type { SetLimits } from "../limits/limitTable.ts";
import { withinDescriptors } from "../limits/withinDescriptors.ts";
import type { Depositors } from "../pairing/desk/depositors.ts";
import { PairingDesk } from "../pairing/desk/pairingDesk.ts";
import { type Place, urlOf } from "../place.ts";
import type { Clock } from "../platform/clock.ts";
import { loggedFault } from "../platform/faults.ts";
import type { Log } from "../platform/log.ts";
import { LogBursts } from "../platform/logBursts.ts";
import { Listener } from "../server.ts";
import { OpenSockets } from "../sockets/openSockets.ts";
import { openTls } from "../tls/openTls.ts";
import type { TlsFiles } from "../tls/tlsSource.ts";

/** How a pairing service runs. */
export interface AlonePairingOptions {
  readonly address: Pick<Place, "host" | "port">;
  /** Where its certificate comes from; absent: plain HTTP is spoken. */
  readonly tls?: TlsFiles | undefined;
  readonly trustedProxies: readonly string[];
  /** Where limits differ from the usual. */
  readonly limits: SetLimits;
  /** How many files and sockets the process may have open; undefined: any number. */
  readonly descriptors: number | undefined;
  readonly depositors: Depositors;
  readonly clock: Clock;
  readonly log: Log;
}

/** A pairing service that runs. */
export interface AlonePairing extends AsyncDisposable {
  readonly url: string;
  readonly desk: PairingDesk;
  readonly limits: Limits;
  /** Looks at the files of the certificate now. */
  readonly lookAtCertificate: () => void;
}

/** Starts a pairing service apart from servers. Throws a `StartFailure` when it cannot listen. */
export async function startAlonePairing(options: AlonePairingOptions): Promise<AlonePairing> {
  const { address, trustedProxies, descriptors, depositors, clock, log } = options;
  await using opened = new AsyncDisposableStack();
  const limits = new Limits({ values: withinDescriptors(options.limits, descriptors), clock, log });
  const isProxy = proxyRule(trustedProxies);
  const onFault = loggedFault(log, "open connections");
  const sockets = new OpenSockets({ limits, isProxy, clock, onFault });
  const strangers = new LogBursts({ clock });
  opened.defer(() => strangers.close());
  const desk = new PairingDesk({ limits, share: depositors.share, clock, log, strangers });
  opened.defer(() => desk.close());
  const peerOf = createPeerOf(trustedProxies, log);
  const answers = new UnreadAnswers(limits);
  const turns = new RequestTurns({ clock, onFault: loggedFault(log, "a request") });
  const http = { peerOf, answers, turns, strangers, clock, log };
  const onRequest = createAloneApp({ ...http, desk, depositors });
  const place: Place = { ...address, faces: new Set(["pairing"]), tls: options.tls };
  const facts = { sockets, strangers, serverUrls: [], clock, log };
  const tls = await openTls([place], facts, opened);
  const { of } = tls;
  const deps = { onRequest, doors: [], sockets, limits, tls: of(place), clock, log, strangers };
  const listener = await Listener.open(place, deps);
  opened.defer(() => listener.close());
  const closing = opened.move();
  return {
    url: urlOf({ ...place, port: listener.port }),
    desk,
    limits,
    lookAtCertificate: tls.look,
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}
