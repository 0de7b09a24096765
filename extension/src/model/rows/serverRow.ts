import type { ConnectionState } from "../connectionState.ts";
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
}

/** The state in a few words; empty when all is well. */
export function stateText(state: ConnectionState): string {
  switch (state.kind) {
    case "connected":
      return "";
    case "connecting":
      return state.attempt === 0 ? "connecting" : "reconnecting";
    case "waiting":
      return "unreachable";
    case "signedOut":
      return "signed out";
    case "changed":
      return "server key has changed";
    case "stopped":
      return "not connected";
  }
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
  const counts = state.kind === "connected" ? `${online}/${total} online` : stateText(state);
  const flag = state.kind === "waiting" ? "unreachable" : state.kind;
  return {
    label: name,
    description: joinDots(counts, host === name ? "" : host),
    icon: iconOf(state),
    context: contextValue("server", { [flag]: true, local: isLocal }),
    children: "expanded",
    spoken: joinSpoken(name, counts),
  };
}
