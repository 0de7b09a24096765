import type { Client, ConnectionEnd } from "@rport/protocol/model";

type Kind = ConnectionEnd["kind"];

/** How a connection ended, in as few words as a row has room for. */
const WORDS: Readonly<Record<Kind, string>> = {
  stopped: "agent stopped",
  left: "agent left",
  lost: "connection broke",
  silent: "stopped answering",
  rules: "cut off",
  cut: "cut off",
  server: "server restarted",
};

/** The same as a sentence about the host. */
const SENTENCES: Readonly<Record<Kind, string>> = {
  stopped: "Its agent was stopped there, or the host was shut down or restarted.",
  left: "Its agent said goodbye and did not come back.",
  lost: "The connection broke without a word: the host lost its network or its power, or something between cut it.",
  silent: "It did not answer any more: the host sleeps, is overloaded, or has lost its network.",
  rules: "The server ended the connection, because the agent did not keep to the rules.",
  cut: "The server ended the connection.",
  server: "The server itself was stopped or restarted, and the host has not come back since.",
};

/** How an offline client's last connection ended, for its row; empty when it is not known. */
export function endWords({ connection_end: end, revoked_at }: Client): string {
  // that it was revoked says why it was cut off
  return end === null || (revoked_at !== null && end.kind === "cut") ? "" : WORDS[end.kind];
}

/** The same as sentences; what the log says of it is added where it says more. */
export function endSentence(end: ConnectionEnd): string {
  const isTelling = end.kind === "left" || end.kind === "rules" || end.kind === "cut";
  return isTelling ? `${SENTENCES[end.kind]} In its words: "${end.text}".` : SENTENCES[end.kind];
}
