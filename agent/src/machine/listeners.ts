import { isIPv4 } from "node:net";
import { type ListeningPort, shownProcess } from "@rport/protocol/tunnels/listening";

/** Finds out which TCP ports somebody listens on, in any order. Rejects when the signal fires before. */
export type ListenerReader = (signal: AbortSignal) => Promise<readonly ListeningPort[]>;

/** Every address of the host, in either family. */
const ANY = new Set(["0.0.0.0", "::"]);

/**
 * An IPv6 address in its short form, and one that is IPv4 inside IPv6 as IPv4; undefined for what is
 * no address, or counts on one interface only (`fe80::1%en0`).
 */
export function plainAddress(text: string): string | undefined {
  if (isIPv4(text)) return text;
  const url = `http://[${text}]/`;
  if (!/^[0-9A-Fa-f:.]+$/.test(text) || !URL.canParse(url)) return undefined;
  const short = new URL(url).hostname.slice(1, -1);
  const [, high, low] = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(short) ?? [];
  if (high === undefined || low === undefined) return short;
  const bytes = Buffer.from(high.padStart(4, "0") + low.padStart(4, "0"), "hex");
  return bytes.join(".");
}

/**
 * One entry for each port and reach, by port: who listens on every address needs no entry for one of
 * them, and the same port on both loopback addresses is the same service.
 */
export function tidied(found: readonly ListeningPort[]): readonly ListeningPort[] {
  const ports = Map.groupBy(found, ({ port }) => port);
  const sorted = [...ports].sort(([one], [other]) => one - other);
  return sorted.flatMap(([, entries]) => ofPort(entries));
}

function ofPort(entries: readonly ListeningPort[]): readonly ListeningPort[] {
  const anywhere = entries.filter(({ address }) => ANY.has(address));
  if (anywhere.length > 0) return oneOf(anywhere);
  const byReach = Map.groupBy(entries, ({ address }) => (isLoopback(address) ? "" : address));
  return [...byReach.values()].flatMap(oneOf);
}

/** IPv4 before IPv6, with the name that any of them has. */
function oneOf(entries: readonly ListeningPort[]): readonly ListeningPort[] {
  const [first] = [...entries].sort((one, other) => one.address.length - other.address.length);
  const preferred = entries.find(({ address }) => isIPv4(address)) ?? first;
  if (preferred === undefined) return [];
  const named = entries.find(({ process }) => process !== "")?.process ?? "";
  return [{ ...preferred, process: shownProcess(preferred.process || named) }];
}

function isLoopback(address: string): boolean {
  return address === "::1" || address.startsWith("127.");
}
