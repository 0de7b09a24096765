import { t } from "@vscode/l10n";
import { plainText } from "../../support/text.ts";
import { type ConnectionState, REFUSED } from "../connectionState.ts";
import { contextValue } from "./contextValue.ts";
import { joinDots, joinSpoken, type Row, type RowIcon } from "./row.ts";

/** What a server's row depends on. */
export interface ServerFacts {
  readonly name: string;
  readonly address: string;
  readonly isLocal: boolean;
  readonly state: ConnectionState;
  readonly online: number;
  readonly total: number;
  /** Whether one is an administrator there. */
  readonly administrator: boolean;
  /** Whether there is an account behind the sign-in. */
  readonly account: boolean;
  readonly mayAudit: boolean;
}

/** The state in a few words; empty when all is well. */
export function stateText(state: ConnectionState): string {
  switch (state.kind) {
    case "connected":
      return "";
    case "connecting":
      return state.attempt === 0 ? t("connecting") : t("reconnecting");
    case "waiting":
      return t("unreachable");
    case "signedOut":
      return state.refusal === undefined ? t("signed out") : t("sign-in is not accepted any more");
    case "changed":
      return t("server key has changed");
    case "stopped":
      return t("not connected");
  }
}

/** What stands above the trees when the server turned the token down; else undefined. */
export function refusalText(state: ConnectionState): string | undefined {
  if (state.kind !== "signedOut" || state.refusal === undefined) return undefined;
  const why = sentenceOf(plainText(state.refusal));
  return `${REFUSED} ${why}`.trim();
}

/** Why nobody can tell whether somebody is signed in; undefined where that is known. */
export function unreadText(state: ConnectionState): string | undefined {
  return state.kind === "signedOut" && state.why !== undefined ? plainText(state.why) : undefined;
}

/** Characters of why a server is away; what a server says itself may be longer. */
const REASON_MAX = 200;

/** Why a server is away, as a sentence; empty where it is not, or nobody knows. */
export function reasonText(state: ConnectionState): string {
  const reason = state.kind === "waiting" || state.kind === "connecting" ? state.reason : undefined;
  return sentenceOf(plainText((reason ?? "").slice(0, REASON_MAX)));
}

/** Servers say why in a few words, or in a sentence. */
function sentenceOf(words: string): string {
  if (words === "") return "";
  const end = /[.!?]$/.test(words) ? "" : ".";
  return words.charAt(0).toUpperCase() + words.slice(1) + end;
}

function iconOf(state: ConnectionState): RowIcon {
  if (state.kind === "waiting") return { name: "server", color: "errorForeground" };
  if (state.kind === "changed") return { name: "warning", color: "list.warningForeground" };
  return { name: state.kind === "signedOut" ? "lock" : "server" };
}

/** A server's row, shown when there are several. */
export function serverRow(facts: ServerFacts): Row {
  const { name, address, isLocal, state, online, total } = facts;
  const host = address === "" || address === name ? "" : address.replace(/^https?:\/\//, "");
  const counts = state.kind === "connected" ? t("{0}/{1} online", online, total) : stateText(state);
  const flag = state.kind === "waiting" ? "unreachable" : state.kind;
  return {
    label: name,
    description: joinDots(counts, host === name ? "" : host),
    icon: iconOf(state),
    context: contextValue("server", {
      [flag]: true,
      refused: refusalText(state) !== undefined,
      local: isLocal,
      account: facts.account,
      admin: facts.administrator,
      mayAudit: facts.mayAudit,
    }),
    children: "expanded",
    spoken: joinSpoken(name, counts),
  };
}
