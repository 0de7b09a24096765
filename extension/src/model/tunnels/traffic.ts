import type { TunnelTraffic } from "@rport/protocol/tunnels/traffic";
import { t } from "@vscode/l10n";
import { LOCALE } from "../../support/locale.ts";
import { plural } from "../../support/plural.ts";

/** What went through a tunnel, seen from whoever uses it. */
export interface Traffic {
  /** Since when it is counted (milliseconds since the epoch). */
  readonly sinceMs: number;
  /** Connections that are open. */
  readonly connections: number;
  /** Connections since then, with those that are open. */
  readonly connectionsTotal: number;
  /** When a connection came or went last (milliseconds since the epoch); undefined: none did. */
  readonly usedAtMs?: number | undefined;
  /** Bytes from where the tunnel leads to. */
  readonly received: number;
  /** Bytes to there. */
  readonly sent: number;
}

/** A look at that. */
export interface TrafficLook {
  readonly traffic: Traffic;
  /** When it was taken (milliseconds since the epoch). */
  readonly atMs: number;
}

/** Bytes per second, seen from whoever uses the tunnel. */
export interface Throughput {
  readonly received: number;
  readonly sent: number;
}

/** What a server tells of one of its tunnels. Its times are those of its own clock. */
export function trafficOf(told: TunnelTraffic): Traffic {
  return {
    sinceMs: Date.parse(told.since),
    connections: told.connections,
    connectionsTotal: told.connections_total,
    usedAtMs: told.used_at === null ? undefined : Date.parse(told.used_at),
    received: told.bytes_from_client,
    sent: told.bytes_to_client,
  };
}

/** The same, told by a clock that `byMs` of this one's milliseconds have to be taken from. */
export function earlier(traffic: Traffic, byMs: number): Traffic {
  const { sinceMs, usedAtMs } = traffic;
  const used = usedAtMs === undefined ? undefined : usedAtMs - byMs;
  return { ...traffic, sinceMs: sinceMs - byMs, usedAtMs: used };
}

/** What goes through per second between two looks; undefined when they say nothing about that. */
export function throughput(first: TrafficLook, second: TrafficLook): Throughput | undefined {
  const seconds = (second.atMs - first.atMs) / 1000;
  // counted anew since: the tunnel was opened again meanwhile
  if (seconds <= 0 || first.traffic.sinceMs !== second.traffic.sinceMs) return undefined;
  return {
    received: (second.traffic.received - first.traffic.received) / seconds,
    sent: (second.traffic.sent - first.traffic.sent) / seconds,
  };
}

const STEP = 1000;
/** From this much on, a size would be rounded to the next larger unit. */
const LAST_OF_UNIT = 999.5;

/** An amount of bytes with three digits at the most: `1 byte`, `12.3 KB`, `1.5 GB`; a KB is 1,000 bytes. */
export function sizeText(bytes: number): string {
  const whole = Math.round(bytes);
  if (whole < STEP) return plural(whole, t("{0} byte", whole), t("{0} bytes", whole));
  let amount = whole / STEP;
  let unit = 0;
  for (; amount >= LAST_OF_UNIT && unit < 3; unit += 1) amount /= STEP;
  const number = new Intl.NumberFormat(LOCALE, { maximumSignificantDigits: 3 }).format(amount);
  const texts = [
    t("{0} KB", number),
    t("{0} MB", number),
    t("{0} GB", number),
    t("{0} TB", number),
  ];
  return texts[unit] ?? "";
}
