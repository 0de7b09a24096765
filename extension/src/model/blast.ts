import type { DeletionReport } from "@rport/protocol/report";
import { t } from "@vscode/l10n";
import { plural } from "../support/plural.ts";
import { inertLine, nameSome } from "../support/text.ts";

/** Names in a question; more are counted. */
export const NAMES_MAX = 5;

type Hit = DeletionReport["clients"][number];

/** What clients are called, as far as names are worth showing: `2 clients (web-01, web-02)`. */
export function namedClients(clients: readonly Pick<Hit, "id" | "name">[]): string {
  const names = nameSome(
    clients.map(({ id, name }) => inertLine(name || id)),
    NAMES_MAX,
  );
  const n = clients.length;
  return plural(n, t("{0} client ({1})", n, names), t("{0} clients ({1})", n, names));
}

/** Everything that several acts hit together; each client counts once. */
export function sumReports(reports: readonly DeletionReport[]): DeletionReport {
  const clients = new Map(reports.flatMap((report) => report.clients).map((hit) => [hit.id, hit]));
  const sum = (of: (report: DeletionReport) => number) =>
    reports.reduce((total, report) => total + of(report), 0);
  return {
    clients: [...clients.values()],
    disconnected: sum((report) => report.disconnected),
    pairings: sum((report) => report.pairings),
    offline: [...new Set(reports.flatMap((report) => report.offline))],
  };
}

/** Whether nobody and nothing is hit. */
export function isHarmless({ clients, disconnected, pairings }: DeletionReport): boolean {
  return clients.length === 0 && disconnected === 0 && pairings === 0;
}

/** What is hit, with exact counts and the first names, a sentence a line. */
export function blastLines(report: DeletionReport): readonly string[] {
  const connected = report.clients.filter((client) => client.connected);
  const away = report.clients.filter((client) => !client.connected);
  const { pairings } = report;
  const tunnels = report.clients.reduce((sum, client) => sum + client.tunnels, 0);
  // a host that has just signed in has a session before it has a record
  const unnamed = report.disconnected - connected.length;
  return [
    connected.length === 0 ? "" : t("Disconnected at once: {0}.", namedClients(connected)),
    unnamed <= 0
      ? ""
      : plural(
          unnamed,
          t("{0} more session will end.", unnamed),
          t("{0} more sessions will end.", unnamed),
        ),
    away.length === 0 ? "" : t("Offline, and refused when back: {0}.", namedClients(away)),
    tunnels === 0
      ? ""
      : plural(
          tunnels,
          t("{0} open tunnel will end.", tunnels),
          t("{0} open tunnels will end.", tunnels),
        ),
    pairings === 0
      ? ""
      : plural(
          pairings,
          t("{0} open pairing will be revoked.", pairings),
          t("{0} open pairings will be revoked.", pairings),
        ),
  ].filter((line) => line !== "");
}

/** What was hit, in one sentence; empty when nobody was. */
export function outcomeSentence({ clients, disconnected }: DeletionReport): string {
  const away = clients.filter((client) => !client.connected).length;
  const parts = [
    disconnected === 0
      ? ""
      : plural(
          disconnected,
          t("{0} client was cut off", disconnected),
          t("{0} clients were cut off", disconnected),
        ),
    away === 0
      ? ""
      : plural(
          away,
          t("{0} client is offline and will be refused", away),
          t("{0} clients are offline and will be refused", away),
        ),
  ].filter((part) => part !== "");
  return parts.join(", ");
}
