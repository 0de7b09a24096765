import os from "node:os";
import { CliFailure, EXIT } from "../cli/cliFailure.ts";
import { allowsTerminals, type TerminalSetting, withTerminals } from "../config/terminalSection.ts";
import type { Place } from "../machine/place.ts";
import type { Installing } from "../machine/platform.ts";
import type { TerminalCommands } from "./removal.ts";

/** What an installation makes of terminals. */
export type Terminals =
  /** They are allowed as this account, which runs the agent; `isNew`: whoever installs has just said so. */
  | { readonly kind: "allowed"; readonly account: string; readonly isNew: boolean }
  /** They are forbidden again, and the service is confined again. */
  | { readonly kind: "forbidden" }
  /** Nobody has said anything of them to an installer; what `rport.conf` says stays. */
  | { readonly kind: "unsaid" };

/** What a person said of terminals, and of what it depends on. */
export interface TerminalFlags {
  /** As which account; empty: as the one who installs. */
  readonly terminals?: string | undefined;
  readonly "no-terminals": boolean;
  readonly user?: string | undefined;
  readonly "no-service": boolean;
}

const OPTION = "--terminals";
const ROOT = "root";

/** The arguments with `--terminals=` for a `--terminals` that has no account behind it. */
export function withOptionalAccount(args: readonly string[]): readonly string[] {
  return args.map((word, index) => {
    const isAlone = word === OPTION && args[index + 1]?.startsWith("-") !== false;
    return isAlone ? `${OPTION}=` : word;
  });
}

/**
 * What becomes of terminals in a place, and the place as it is then: its agent runs as their account. What an
 * earlier installation was told counts until something else is said. Rejects with a `CliFailure` when
 * they cannot be had like this. Changes nothing.
 */
export async function terminalsIn(
  asked: Place,
  flags: TerminalFlags,
  installing: Pick<Installing, "accounts" | "service">,
): Promise<{ readonly place: Place; readonly terminals: Terminals }> {
  const terminals = await wanted(asked, flags, installing);
  if (terminals.kind !== "allowed") return { place: asked, terminals };
  const { account } = terminals;
  const whyNot = await installing.accounts.whyNoTerminal(account);
  if (whyNot !== undefined) throw new CliFailure(EXIT.unsupported, whyNot);
  assertUsable(asked, account, flags);
  const user = asked.layout.kind === "system" ? account : undefined;
  return { place: { ...asked, user, allowsTerminals: true }, terminals };
}

async function wanted(
  asked: Place,
  flags: TerminalFlags,
  installing: Pick<Installing, "service">,
): Promise<Terminals> {
  const { terminals: account, "no-terminals": isForbidden } = flags;
  if (account !== undefined && isForbidden) {
    throw new CliFailure(EXIT.usage, `${OPTION} and --no-terminals contradict each other.`);
  }
  if (isForbidden) return { kind: "forbidden" };
  if (account !== undefined)
    return { kind: "allowed", account: named(asked, account), isNew: true };
  const kept = await keptAccount(asked, installing);
  return kept === undefined ? { kind: "unsaid" } : { kind: "allowed", account: kept, isNew: false };
}

/** Below a directory the agent is the one who installs; for the whole machine somebody has to be named. */
function named({ layout }: Place, account: string): string {
  if (layout.kind === "prefix") return account || os.userInfo().username;
  if (account !== "") return account;
  const sentence = `${OPTION} needs the account that terminals run as, such as root or your own.`;
  throw new CliFailure(EXIT.usage, sentence);
}

/** The service itself says it: it is root's, while the agent's account may change its `rport.conf`. */
async function keptAccount(
  asked: Place,
  { service: find }: Pick<Installing, "service">,
): Promise<string | undefined> {
  const service = await find(asked);
  if ((await service?.allowsTerminals()) !== true) return undefined;
  if (asked.layout.kind === "prefix") return os.userInfo().username;
  return await service?.account();
}

function assertUsable({ layout }: Place, account: string, flags: TerminalFlags): void {
  const { user, "no-service": hasNoService } = flags;
  if (layout.kind === "prefix") {
    assertOwn(account);
    return;
  }
  if (user !== undefined && user !== account) {
    const sentence = `Terminals run as the account that runs the agent, here ${account}.`;
    throw new CliFailure(EXIT.usage, `${sentence} Name it with ${OPTION}, without --user.`);
  }
  if (!hasNoService || account === ROOT) return;
  const sentence = `Without a service the agent would not have the groups of ${account}.`;
  throw new CliFailure(EXIT.unsupported, `${sentence} There, terminals are for root alone.`);
}

function assertOwn(account: string): void {
  const { username } = os.userInfo();
  if (account === username) return;
  const sentence = `With --prefix the agent runs as you, ${username}, and opens no terminals as ${account}.`;
  throw new CliFailure(EXIT.usage, sentence);
}

/** Whether the configuration may have to say something else. */
export function isToldToConfig(terminals: Terminals): boolean {
  return settingOf(terminals) !== undefined;
}

/** The text of `rport.conf` as it has to be; the same text when nothing was said. Throws for a damaged one. */
export function configured(text: string, terminals: Terminals): string {
  const setting = settingOf(terminals);
  return setting === undefined ? text : withTerminals(text, setting);
}

function settingOf(terminals: Terminals): TerminalSetting | undefined {
  if (terminals.kind === "forbidden") return { isAllowed: false };
  if (terminals.kind === "unsaid" || !terminals.isNew) return undefined;
  return { isAllowed: true, asRoot: terminals.account === ROOT };
}

/** What becomes of the configuration of an enrolled host, to be read after "would". */
export function configTitle(config: string, terminals: Terminals): string {
  if (terminals.kind === "forbidden") return `forbid terminals in ${config}`;
  const isNew = terminals.kind === "allowed" && terminals.isNew;
  return isNew ? `allow terminals in ${config}` : `keep ${config}`;
}

/** What the person at the terminal is told with. */
export interface Telling {
  readonly server: string;
  /** The text of `rport.conf` as it is now. */
  readonly config: string;
  /** The commands that say something else of terminals. */
  readonly commands: TerminalCommands;
}

/** What it means for this host, for the person at the terminal. Throws for a damaged configuration. */
export function meaning(
  { layout }: Pick<Place, "layout">,
  terminals: Terminals,
  { server, config, commands }: Telling,
): readonly string[] {
  if (terminals.kind === "forbidden") return ["No terminals are allowed on this host."];
  if (terminals.kind === "unsaid") {
    const isHalf = layout.kind === "system" && allowsTerminals(config);
    return isHalf ? [HALF, `  ${commands.allow}`] : [];
  }
  const whoever = `Whoever may open terminals at ${server} acts on this host as ${terminals.account}`;
  return [`${whoever}, until you take it back:`, `  ${commands.forbid}`];
}

/** The agent's account may write `rport.conf`, so what stands there opens no service. */
const HALF =
  "rport.conf allows terminals, but the service is confined, and so is each shell. To say as whom they are:";
