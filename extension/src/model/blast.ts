import type { DeletionReport } from "@rport/protocol/report";
import { count, inertLine, nameSome } from "../support/text.ts";

/** Names in a question; more are counted. */
export const NAMES_MAX = 5;

type Hit = DeletionReport["clients"][number];

/** What clients are called, as far as names are worth showing: `2 clients (web-01, web-02)`. */
export function namedClients(clients: readonly Pick<Hit, "id" | "name">[]): string {
  const names = clients.map(({ id, name }) => inertLine(name || id));
  return `${count(clients.length, "client")} (${nameSome(names, NAMES_MAX)})`;
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
  const tunnels = report.clients.reduce((sum, client) => sum + client.tunnels, 0);
  // a host that has just signed in has a session before it has a record
  const unnamed = report.disconnected - connected.length;
  return [
    connected.length === 0 ? "" : `Disconnected at once: ${namedClients(connected)}.`,
    unnamed <= 0 ? "" : `${count(unnamed, "more session")} will end.`,
    away.length === 0 ? "" : `Offline, and refused when back: ${namedClients(away)}.`,
    tunnels === 0 ? "" : `${count(tunnels, "open tunnel")} will end.`,
    report.pairings === 0 ? "" : `${count(report.pairings, "open pairing")} will be revoked.`,
  ].filter((line) => line !== "");
}

/** What was hit, in one sentence; empty when nobody was. */
export function outcomeSentence({ clients, disconnected }: DeletionReport): string {
  const away = clients.filter((client) => !client.connected).length;
  const parts = [
    disconnected === 0 ? "" : `${count(disconnected, "client was", "clients were")} cut off`,
    away === 0 ? "" : `${count(away, "client is", "clients are")} offline and will be refused`,
  ].filter((part) => part !== "");
  return parts.join(", ");
}
