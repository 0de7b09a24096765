import { formatHostPort, type HostPort } from "@rport/protocol/remote";
import { t } from "@vscode/l10n";
import { plainText } from "../../support/text.ts";

/** Longest part of a host's own words that is shown. */
const WORDS_MAX = 120;

/** Loopback, where only the host itself can mean itself. */
const HOST_ITSELF = new Set(["127.0.0.1", "localhost", "::1"]);

/** What the errors of agents mean, ours and those of RPort. */
const MEANINGS = [
  ["refused", /refused/i],
  ["late", /timeout|timed out|ETIMEDOUT/i],
  ["unknown", /ENOTFOUND|EAI_AGAIN|no such host|has no address|getaddrinfo/i],
  ["apart", /unreach|no route/i],
] as const;

/** A place as people call it: `db-01:5432`, or `10.0.0.5:5432, as seen from db-01`. */
export function placeName(clientName: string, remote: HostPort): string {
  const client = plainText(clientName);
  if (HOST_ITSELF.has(remote.host)) return `${client}:${remote.port}`;
  return t("{0}, as seen from {1}", formatHostPort(remote), client);
}

/** Why a tunnel would lead nowhere, as a sentence; `words` are what the host said when it tried. */
export function unreachableText(place: string, words: string): string {
  const meaning = MEANINGS.find(([, pattern]) => pattern.test(words))?.[0];
  switch (meaning) {
    case "refused":
      return t("Nothing listens on {0} (connection refused).", place);
    case "late":
      return t("Nothing answers on {0} in time.", place);
    case "unknown":
      return t("Nothing answers on {0}: the host does not know this name.", place);
    case "apart":
      return t("Nothing answers on {0}: the host has no way there.", place);
    case undefined:
      return unexplained(place, plainText(words.slice(0, WORDS_MAX)));
  }
}

function unexplained(place: string, words: string): string {
  return words === ""
    ? t("Nothing answers on {0}.", place)
    : t("Nothing answers on {0} ({1}).", place, words);
}
