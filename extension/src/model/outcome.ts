import type { Refusal } from "@rport/protocol/refusal";
import type { DeletionReport } from "@rport/protocol/report";
import { t } from "@vscode/l10n";
import { plural } from "../support/plural.ts";
import { inertLine } from "../support/text.ts";
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
    `# ${t("{0} on {1} at {2}", inertLine(title), inertLine(serverName), timeOfDay(atMs))}`,
    "",
    ...(report === undefined ? [] : hitText(report)),
    ...(tries.length === 0
      ? [t("Still trying: nobody so far. This follows the server while it is open.")]
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
        const who = inertLine(name || id);
        if (tunnels === 0) return who;
        return plural(
          tunnels,
          t("{0}, {1} tunnel ended", who, tunnels),
          t("{0}, {1} tunnels ended", who, tunnels),
        );
      });
  const { disconnected, pairings } = report;
  const away = report.offline.length;
  return [
    ...section(
      plural(
        disconnected,
        t("Cut off: {0} client", disconnected),
        t("Cut off: {0} clients", disconnected),
      ),
      named(true),
    ),
    ...section(
      plural(
        away,
        t("Offline at that time: {0} client", away),
        t("Offline at that time: {0} clients", away),
      ),
      named(false),
    ),
    ...(pairings === 0
      ? []
      : section(
          plural(
            pairings,
            t("Revoked: {0} open pairing", pairings),
            t("Revoked: {0} open pairings", pairings),
          ),
          [],
        )),
  ];
}

/** `2 hosts still try with it`. */
function stillTrying(hosts: number): string {
  return plural(
    hosts,
    t("Still trying: {0} host tries with it", hosts),
    t("Still trying: {0} hosts try with it", hosts),
  );
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return [title, ...lines.map((line) => `    ${line}`), ""];
}

function tryText({ refusal, times }: Try, nameOf: Trying["nameOf"]): string {
  const { address, hostname, client_id: id, last_at: last } = refusal;
  const who = inertLine(nameOf(id) || (hostname ?? id ?? ""));
  const name = who === "" ? "" : ` (${who})`;
  const at = timeOfDay(Date.parse(last));
  const refused = plural(
    times,
    t("refused {0} time, last at {1}", times, at),
    t("refused {0} times, last at {1}", times, at),
  );
  return `${inertLine(address)}${name}  ${refused}`;
}
