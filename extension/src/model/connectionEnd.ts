import type { Client, ConnectionEnd } from "@rport/protocol/model";
import { t } from "@vscode/l10n";

type Kind = ConnectionEnd["kind"];

/** How a connection ended, in as few words as a row has room for. */
const WORDS: Readonly<Record<Kind, string>> = {
  stopped: t("agent stopped"),
  left: t("agent left"),
  lost: t("connection broke"),
  silent: t("stopped answering"),
  rules: t("cut off"),
  cut: t("cut off"),
  server: t("server restarted"),
};

/** The same as a sentence about the host. */
const SENTENCES: Readonly<Record<Kind, string>> = {
  stopped: t("Its agent was stopped there, or the host was shut down or restarted."),
  left: t("Its agent said goodbye and did not come back."),
  lost: t(
    "The connection broke without a word: the host lost its network or its power, or something between cut it.",
  ),
  silent: t("It did not answer any more: the host sleeps, is overloaded, or has lost its network."),
  rules: t("The server ended the connection, because the agent did not keep to the rules."),
  cut: t("The server ended the connection."),
  server: t("The server itself was stopped or restarted, and the host has not come back since."),
};

/** How an offline client's last connection ended, for its row; empty when it is not known. */
export function endWords({ connection_end: end, revoked_at }: Client): string {
  // that it was revoked says why it was cut off
  return end === null || (revoked_at !== null && end.kind === "cut") ? "" : WORDS[end.kind];
}

/** The same as sentences; what the log says of it is added where it says more. */
export function endSentence(end: ConnectionEnd): string {
  const isTelling = end.kind === "left" || end.kind === "rules" || end.kind === "cut";
  return isTelling
    ? t('{0} In its words: "{1}".', SENTENCES[end.kind], end.text)
    : SENTENCES[end.kind];
}
