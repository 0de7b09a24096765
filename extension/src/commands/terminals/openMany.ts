import { type ExtensionTerminalOptions, type Terminal, window } from "vscode";
import { leftOutText, whyLeftOut } from "../../model/terminals/leftOut.ts";
import { manyTerminals } from "../../model/terminals/manyTerminals.ts";
import { accountsOf } from "../../model/terminals/terminalOffer.ts";
import type { ClientTarget } from "../../servers/entities.ts";
import { plainText } from "../../support/text.ts";
import type { HostTerminals } from "../../terminals/hostTerminals.ts";
import { confirm } from "../confirm.ts";

/** More than these side by side are too narrow to read; the others get tabs of their own. */
const SPLIT_MAX = 4;

/**
 * Opens a terminal on each client that gives one, and says which ones give none, and why. They are side by side while they
 * are few; many are asked about. As whom is not asked for each: it is whoever it was last time. False: none of them
 * gives one, which is not said.
 */
export async function openMany(
  targets: readonly ClientTarget[],
  terminals: HostTerminals,
): Promise<boolean> {
  const open = targets.filter(({ client }) => whyLeftOut(client) === undefined);
  if (open.length === 0) return false;
  const asked = manyTerminals(open.map(({ client }) => client));
  if (asked !== undefined && (await confirm({ ...asked, isHarmless: true })) !== "act") return true;
  const options = open.map((target) => {
    const account = terminals.accountOf(target) ?? accountsOf(target.client)[0];
    return terminals.options(target, account);
  });
  terminals.keepTogether(options);
  show(options);
  const others = leftOutText(targets.map(({ client }) => client));
  if (others !== undefined) void window.showWarningMessage(plainText(others));
  return true;
}

function show(options: readonly ExtensionTerminalOptions[]): void {
  const shown: Terminal[] = [];
  for (const each of options) {
    // the editor puts one right behind the one that it is beside
    const last = options.length > SPLIT_MAX ? undefined : shown.at(-1);
    shown.push(window.createTerminal(last === undefined ? each : beside(each, last)));
  }
  shown[0]?.show();
}

function beside(
  options: ExtensionTerminalOptions,
  parentTerminal: Terminal,
): ExtensionTerminalOptions {
  return { ...options, location: { parentTerminal } };
}
