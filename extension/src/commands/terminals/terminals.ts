import { t } from "@vscode/l10n";
import { type ExtensionTerminalOptions, env, type Terminal, TerminalProfile, window } from "vscode";
import { displayName } from "../../model/arrange.ts";
import { manyTerminals } from "../../model/terminals/manyTerminals.ts";
import {
  ALLOWING_COMMAND,
  ALLOWING_LINES,
  accountsOf,
  type NoTerminal,
  whyNoTerminal,
} from "../../model/terminals/terminalOffer.ts";
import type { ClientTarget } from "../../servers/entities.ts";
import { systemClock } from "../../support/clock.ts";
import { plural } from "../../support/plural.ts";
import { nameSome, plainText } from "../../support/text.ts";
import type { HostTerminals } from "../../terminals/hostTerminals.ts";
import { noTerminal } from "../../terminals/noTerminal.ts";
import { confirm } from "../confirm.ts";
import type { CommandInput, Handlers } from "../registry.ts";
import { NOUNS } from "../targets/nouns.ts";
import type { Targets } from "../targets/targets.ts";
import { type OpeningDeps, openTunnelTo } from "../tunnels/tunnels.ts";
import { pickAccount } from "./accountPick.ts";

/** More than these side by side are too narrow to read; the others get tabs of their own. */
const SPLIT_MAX = 4;
/** More names than these make no sentence. */
const NAMES_MAX = 5;
const SSH = { host: "127.0.0.1", port: 22 } as const;

/** What opening terminals needs. */
export interface TerminalCommandsDeps extends OpeningDeps {
  readonly targets: Targets;
  readonly terminals: HostTerminals;
}

/** Commands that open terminals. */
export type TerminalHandlers = Pick<Handlers, "openTerminal">;

/** Opening terminals: of one host, or of all that are selected. */
export function terminalHandlers(deps: TerminalCommandsDeps): TerminalHandlers {
  return {
    async openTerminal(input) {
      const title = t("Open a terminal on which client?");
      const asked = { title, noun: NOUNS.onlineClient, status: "online" } as const;
      const chosen = (await deps.targets.clients(input, asked)) ?? [];
      const [only, ...others] = chosen;
      if (only !== undefined && others.length === 0) await openOne(only, deps);
      else await openMany(chosen, deps);
    },
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

/** Side by side while they are few; many are asked about. As whom is not asked for each: it is whoever it was last time. */
async function openMany(
  targets: readonly ClientTarget[],
  { terminals }: TerminalCommandsDeps,
): Promise<void> {
  const open = targets.filter(({ client }) => whyNoTerminal(client) === undefined);
  const asked = manyTerminals(open.map(({ client }) => client));
  if (asked !== undefined && (await confirm({ ...asked, isHarmless: true })) !== "act") return;
  let first: Terminal | undefined;
  for (const target of open) {
    const account = terminals.accountOf(target) ?? accountsOf(target.client)[0];
    const options = terminals.options(target, account);
    const next = open.length > SPLIT_MAX ? undefined : first;
    const terminal = window.createTerminal(next === undefined ? options : beside(options, next));
    first ??= terminal;
  }
  first?.show();
  const others = targets.filter((each) => !open.includes(each));
  if (others.length > 0) void window.showWarningMessage(plainText(withoutText(others)));
}

function beside(
  options: ExtensionTerminalOptions,
  parentTerminal: Terminal,
): ExtensionTerminalOptions {
  return { ...options, location: { parentTerminal } };
}

function withoutText(targets: readonly ClientTarget[]): string {
  const names = nameSome(
    targets.map(({ client }) => displayName(client)),
    NAMES_MAX,
  );
  return plural(
    targets.length,
    t("{0} gives no terminal: open one on it alone to be told why.", names),
    t("{0} give no terminals: open one on each alone to be told why.", names),
  );
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
