import type { Client } from "@rport/protocol/model";
import { t } from "@vscode/l10n";

/** What has an installed agent allow terminals. */
export const ALLOWING_COMMAND = "rport-agent install --server URL --terminals ACCOUNT";

/** What the configuration of an agent needs that runs otherwise. */
export const ALLOWING_LINES = "[terminal]\nenabled = true\n";

/** Why there is no terminal on a host, for people. */
export interface NoTerminal {
  readonly why: string;
  /** What can be done about it. */
  readonly how: string;
  /** The reason in a few words, behind a name. */
  readonly inShort: string;
  /** Whether those lines in the agent's configuration allow it. */
  readonly isOff: boolean;
}

/** The accounts of a host that a terminal may be opened as, the usual one first; none: see `whyNoTerminal`. */
export function accountsOf({ terminal }: Pick<Client, "terminal">): readonly string[] {
  return terminal?.state === "on" ? terminal.accounts : [];
}

/** Why a host gives no terminal, as far as its agent has said; undefined: it does. */
export function whyNoTerminal({ terminal, features }: Client): NoTerminal | undefined {
  switch (terminal?.state) {
    case "on":
      return undefined;
    case "off":
      return {
        why: t("This host allows no terminals."),
        how: HOW_TO_ALLOW,
        inShort: t("not allowed there"),
        isOff: true,
      };
    case "runtime":
      return {
        why: t("This host's agent can open no terminals in the way it runs."),
        how: t(
          "Give it Node.js 24.21 or newer and /bin/bash, or install the agent that needs no Node.js.",
        ),
        inShort: t("not possible in the way its agent runs"),
        isOff: false,
      };
    case "accounts":
      return {
        why: t("This host allows terminals only as accounts that it does not have."),
        how: t(
          "Whoever runs the host adds one of them there, or names another one in the rport.conf of its agent, and then starts the agent again.",
        ),
        inShort: t("its accounts are not there"),
        isOff: false,
      };
    case "system":
      return {
        why: t("This host's agent has no way to open terminals on its system."),
        how: "",
        inShort: t("not possible on its system"),
        isOff: false,
      };
    case undefined:
      return {
        why: t("This host's agent knows no terminals."),
        how:
          features.length === 0
            ? t("It is RPort's own client, or a very old one. Our agent takes its place.")
            : t("It is of an earlier version: update the agent."),
        inShort: t("unknown to its agent"),
        isOff: false,
      };
  }
}

const HOW_TO_ALLOW = t(
  "Whoever runs the host decides that. On an installed host, its root runs the first line. Where an agent runs otherwise, the other lines in its rport.conf and a restart of it allow terminals. Whoever may open terminals on this server then acts on the host as that account.",
);
