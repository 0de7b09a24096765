import type { Refusal } from "@rport/protocol/refusal";
import type { DeletionReport } from "@rport/protocol/report";
import { count, inertLine } from "../support/text.ts";
import { timeOfDay } from "./relativeTime.ts";
import { isStillTrying } from "./rows/refusalRow.ts";

/** Something that was taken away, and who might still try to get in with it. */
export interface Outcome {
  /** A sentence without its full stop: `web-fleet was deleted`. */
  readonly title: string;
  readonly atMs: number;
  /** Undefined: who was hit at that time is not known any more. */
  readonly report: DeletionReport | undefined;
  /** Whether a refusal is about what was taken away. */
  readonly isMeant: (refusal: Refusal) => boolean;
  /** How often each refusal had been counted before. */
  readonly before: ReadonlyMap<string, number>;
}

/**
 * Whether a refusal is of a client that was shut out. Which of its secret, its record and its credential is
 * looked at first is the server's business, so any of those reasons counts.
 */
export function isOfRevoked(clientId: string): (refusal: Refusal) => boolean {
  return (refusal) => refusal.client_id === clientId && isStillTrying(refusal);
}

/** How often each kind of refusal was counted so far. */
export function refusalCounts(refusals: Iterable<Refusal>): ReadonlyMap<string, number> {
  return new Map([...refusals].map((refusal) => [refusal.id, refusal.count]));
}

/** Somebody who was turned away since. */
interface Try {
  readonly refusal: Refusal;
  readonly times: number;
}

/** Who tried since, those that tried most first. */
export function triesSince(
  { isMeant, before }: Pick<Outcome, "isMeant" | "before">,
  refusals: Iterable<Refusal>,
): readonly Try[] {
  return [...refusals]
    .filter(isMeant)
    .map((refusal) => ({ refusal, times: refusal.count - (before.get(refusal.id) ?? 0) }))
    .filter(({ times }) => times > 0)
    .sort((a, b) => b.times - a.times);
}

/** Who has tried, and where. */
export interface Trying {
  readonly serverName: string;
  readonly refusals: Iterable<Refusal>;
  /** What people call a client; empty when it is not known. */
  readonly nameOf: (clientId: string | null) => string;
}

/** The document about it: who was cut off, who was away, and, live, who still tries. */
export function outcomeText(outcome: Outcome, { serverName, refusals, nameOf }: Trying): string {
  const { title, atMs, report } = outcome;
  const tries = triesSince(outcome, refusals);
  return [
    `# ${inertLine(title)} on ${inertLine(serverName)} at ${timeOfDay(atMs)}`,
    "",
    ...(report === undefined ? [] : hitText(report)),
    ...(tries.length === 0
      ? ["Still trying: nobody so far. This follows the server while it is open."]
      : section(
          stillTrying(tries.length),
          tries.map((each) => tryText(each, nameOf)),
        )),
  ].join("\n");
}

function hitText(report: DeletionReport): readonly string[] {
  const named = (connected: boolean) =>
    report.clients
      .filter((client) => client.connected === connected)
      .map(({ name, id, tunnels }) => {
        const ended = tunnels === 0 ? "" : `, ${count(tunnels, "tunnel")} ended`;
        return `${inertLine(name || id)}${ended}`;
      });
  return [
    ...section(`Cut off: ${count(report.disconnected, "client")}`, named(true)),
    ...section(`Offline at that time: ${count(report.offline.length, "client")}`, named(false)),
    ...(report.pairings === 0
      ? []
      : section(`Revoked: ${count(report.pairings, "open pairing")}`, [])),
  ];
}

/** `2 hosts still try with it`. */
function stillTrying(hosts: number): string {
  return hosts === 1
    ? "Still trying: 1 host tries with it"
    : `Still trying: ${hosts} hosts try with it`;
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return [title, ...lines.map((line) => `    ${line}`), ""];
}

function tryText({ refusal, times }: Try, nameOf: Trying["nameOf"]): string {
  const { address, hostname, client_id: id, last_at: last } = refusal;
  const who = inertLine(nameOf(id) || (hostname ?? id ?? ""));
  const name = who === "" ? "" : ` (${who})`;
  const at = timeOfDay(Date.parse(last));
  return `${inertLine(address)}${name}  refused ${count(times, "time")}, last at ${at}`;
}
