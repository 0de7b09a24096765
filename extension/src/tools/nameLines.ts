import { t } from "@vscode/l10n";
import type { Server } from "../servers/server.ts";
import { inertLine } from "../support/text.ts";

/** What a question calls a client: its name is the host's own choice, its ID tells it from others of that name. */
export function nameAndId(name: string, id: string): string {
  return `${inertLine(name)} (${inertLine(id)})`;
}

/** Which server a question is about, a line each: another one may have clients and credentials of the same names. */
export function serverLines(server: Pick<Server, "name" | "address"> | undefined): string[] {
  if (server === undefined) return [];
  const { name, address } = server;
  const called = t("Server: {0}", inertLine(name));
  return address === "" ? [called] : [called, t("Address: {0}", inertLine(address))];
}
