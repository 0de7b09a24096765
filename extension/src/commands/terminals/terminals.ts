import { t } from "@vscode/l10n";
import { env, TerminalProfile, window } from "vscode";
import { displayName } from "../../model/arrange.ts";
import { leftOutText } from "../../model/terminals/leftOut.ts";
import {
  ALLOWING_COMMAND,
  ALLOWING_LINES,
  type NoTerminal,
  whyNoTerminal,
} from "../../model/terminals/terminalOffer.ts";
import type { ClientTarget } from "../../servers/entities.ts";
import type { Server } from "../../servers/server.ts";
import { systemClock } from "../../support/clock.ts";
import { plainText } from "../../support/text.ts";
import type { HostTerminals } from "../../terminals/hostTerminals.ts";
import { noTerminal } from "../../terminals/noTerminal.ts";
import type { CommandInput, Handlers } from "../registry.ts";
import { clientsOfGroup, type GroupPickDeps } from "../targets/groupPick.ts";
import { NOUNS } from "../targets/nouns.ts";
import type { Targets } from "../targets/targets.ts";
import { type OpeningDeps, openTunnelTo } from "../tunnels/tunnels.ts";
import { pickAccount } from "./accountPick.ts";
import { openMany } from "./openMany.ts";

const SSH = { host: "127.0.0.1", port: 22 } as const;

/** What opening terminals needs. */
export interface TerminalCommandsDeps extends OpeningDeps, GroupPickDeps {
  readonly targets: Targets;
  readonly terminals: HostTerminals;
}

/** Commands that open terminals. */
export type TerminalHandlers = Pick<Handlers, "openGroupTerminals" | "openTerminal">;

/** Opening terminals: of one host, of all that are selected, or of a group. */
export function terminalHandlers(deps: TerminalCommandsDeps): TerminalHandlers {
  return {
    async openTerminal(input) {
      const title = t("Open a terminal on which client?");
      const asked = { title, noun: NOUNS.onlineClient, status: "online" } as const;
      const chosen = (await deps.targets.clients(input, asked)) ?? [];
      const [only, ...others] = chosen;
      if (only !== undefined && others.length === 0) await openOne(only, deps);
      else await openAll(chosen, deps);
    },
    openGroupTerminals: (input) => openGroup(input, deps),
  };
}

/** What the editor's list of terminals opens: it asks for the host. Where nobody chose one, nothing stays open. */
export async function chosenProfile(deps: TerminalCommandsDeps): Promise<TerminalProfile> {
  const title = t("Open a terminal on which client?");
  const input: CommandInput = { node: undefined, selection: [], isKey: false };
  const target = await deps.targets.client(input, {
    title,
    noun: NOUNS.terminalClient,
    status: "online",
    fits: (client, server) => server.may("terminal") && whyNoTerminal(client) === undefined,
  });
  const as = target && (await pickAccount(target, deps.terminals));
  if (target === undefined || as === undefined) return noTerminal(systemClock);
  return new TerminalProfile(deps.terminals.options(target, as.account));
}

async function openOne(target: ClientTarget, deps: TerminalCommandsDeps): Promise<void> {
  const none = whyNoTerminal(target.client);
  if (none !== undefined) {
    await tellWhyNot(target, none, deps);
    return;
  }
  const as = await pickAccount(target, deps.terminals);
  if (as === undefined) return;
  window.createTerminal(deps.terminals.options(target, as.account)).show();
}

async function openAll(
  targets: readonly ClientTarget[],
  deps: TerminalCommandsDeps,
): Promise<void> {
  if (await openMany(targets, deps.terminals)) return;
  const none = leftOutText(targets.map(({ client }) => client));
  if (none !== undefined) void window.showWarningMessage(plainText(none));
}

/** A terminal on each client of a group: as on a selection, but whoever is offline is in a group, too. */
async function openGroup(input: CommandInput, deps: TerminalCommandsDeps): Promise<void> {
  const title = t("Open terminals on the hosts of which group?");
  const fits = (server: Server) => server.may("terminal");
  const clients = await clientsOfGroup(input, { title, fits }, deps);
  if (clients === undefined || (await openMany(clients, deps.terminals))) return;
  const detail = leftOutText(clients.map(({ client }) => client)) ?? "";
  await window.showInformationMessage(t("No host of this group gives a terminal now."), {
    modal: true,
    detail,
  });
}

/** Says why there is none, and offers what helps: the lines that allow it, and ssh through a tunnel. */
async function tellWhyNot(
  target: ClientTarget,
  { why, how, isOff }: NoTerminal,
  deps: TerminalCommandsDeps,
): Promise<void> {
  const { server, client } = target;
  const copy = t("Copy Lines");
  const tunnel = t("Open Tunnel to SSH");
  const buttons = [...(isOff ? [copy] : []), ...(server.may("tunnels") ? [tunnel] : [])];
  const ssh = server.may("tunnels")
    ? t("Where a sshd runs, a tunnel to its port does as well.")
    : "";
  const lines = isOff ? [ALLOWING_COMMAND, ALLOWING_LINES.trim()] : [];
  const detail = [how, ...lines, ssh].filter(Boolean).join("\n\n");
  const question = `${plainText(displayName(client))}: ${why}`;
  const answer = await window.showInformationMessage(question, { modal: true, detail }, ...buttons);
  if (answer === copy) await env.clipboard.writeText(ALLOWING_LINES);
  if (answer === tunnel) await openTunnelTo(target, { remote: SSH, localPort: undefined }, deps);
}
