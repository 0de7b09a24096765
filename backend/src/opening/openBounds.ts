import { proxyRule } from "../http/caller/peerAddress.ts";
import { Limits } from "../limits/limits.ts";
import { LIMITS } from "../limits/limitTable.ts";
import { withinDescriptors } from "../limits/withinDescriptors.ts";
import { loggedFault } from "../platform/faults.ts";
import { OpenSockets } from "../sockets/openSockets.ts";
import type { ServicesOptions } from "./servicesOptions.ts";

/** With fewer connections than this, somebody has to know before they are needed. */
const FEW_SOCKETS = 4_096;

/** What bounds everybody who comes from outside. */
export interface Bounds {
  /** Every limit that somebody can meet, and how often it bit. */
  readonly limits: Limits;
  /** Every connection from outside. */
  readonly sockets: OpenSockets;
}

/** The limits in force, after what the process is allowed; the log says what follows from that. */
export function openBounds(options: ServicesOptions): Bounds {
  const { limits: values = {}, trustedProxies = [], descriptors, clock, log } = options;
  const limits = new Limits({ values: withinDescriptors(values, descriptors), clock, log });
  const onFault = loggedFault(log, "open connections");
  const isProxy = proxyRule(trustedProxies);
  const sockets = new OpenSockets({ limits, isProxy, clock, onFault });
  tellSockets(limits.max("sockets"), options);
  return { limits, sockets };
}

function tellSockets(sockets: number, { limits = {}, descriptors, log }: ServicesOptions): void {
  const wanted = limits.sockets ?? LIMITS.sockets.usual;
  if (sockets === wanted) return;
  log[sockets < FEW_SOCKETS ? "warn" : "info"](
    "fewer connections than configured, because the process may open only so many files",
    { sockets, wanted, descriptors, raise: "LimitNOFILE= in the service's unit, or ulimit -Hn" },
  );
}
