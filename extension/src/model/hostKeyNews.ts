import type { Client } from "@rport/protocol/model";
import { t } from "@vscode/l10n";
import { ago } from "./relativeTime.ts";

/** A key that has changed is pointed out for a week; the details tell of it for good. */
const NEWS_MS = 7 * 86_400_000;

type Keyed = Pick<Client, "host_key" | "host_key_change">;

/** What a row says of a client's host key, in a few words; empty: nothing to point out. */
export function keyAlarm({ host_key_change: change }: Keyed, nowMs: number): string {
  if (change?.kind === "missing") return t("without its host key");
  const isNews = change?.kind === "changed" && nowMs - Date.parse(change.at) < NEWS_MS;
  return isNews ? t("host key changed") : "";
}

/** The same as sentences. */
export function keySentence(client: Keyed, nowMs: number): string {
  const change = client.host_key_change;
  if (change === null || keyAlarm(client, nowMs) === "") return "";
  const when = ago(change.at, nowMs);
  if (change.kind === "missing") {
    return t("It comes without the host key that it is known by, which was approved {0}.", when);
  }
  return t("Its host key is another one than before, which was approved {0}.", when);
}

/** The client's key and its last change by name; empty where there is none. */
export function keyFacts(client: Keyed): readonly (readonly [string, string])[] {
  const { host_key: key, host_key_change: change } = client;
  return [
    [t("Host key"), key ?? ""],
    [t("Host key changed"), change === null ? "" : changeText(change)],
  ];
}

function changeText({ kind, before, at }: NonNullable<Client["host_key_change"]>): string {
  if (kind === "added") return t("{0}: the first one", at);
  if (kind === "missing") return t("{0}: not shown any more", at);
  return before === null
    ? t("{0}: before, it was none", at)
    : t("{0}: before, it was {1}", at, before);
}
