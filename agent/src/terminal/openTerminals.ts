import type { TerminalSettings } from "../config/config.ts";
import type { Shells } from "../machine/shells.ts";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { Accounts, CANNOT_OPEN } from "./accounts.ts";
import type { FoundPty } from "./findPty.ts";
import { type NoTerminals, Terminals, type TerminalsDeps } from "./terminals.ts";

/** What is asked before there are terminals. */
export interface OpenTerminalsDeps {
  readonly settings: TerminalSettings;
  /** Undefined: it is not known how to start shells on this system. */
  readonly shells: Shells | undefined;
  /** How terminals are opened in this runtime; asked only where they are allowed. */
  readonly findPty: (shells: Shells) => FoundPty;
  readonly clock: Clock;
  readonly log: Log;
  readonly floods: TerminalsDeps["floods"];
}

/** The terminals of this host as its configuration, its runtime and its system allow them. */
export async function openTerminals(deps: OpenTerminalsDeps): Promise<Terminals> {
  const { settings, shells, clock, log, floods } = deps;
  const none = (why: NoTerminals) => new Terminals({ settings, clock, log, floods, parts: why });
  if (!settings.isAllowed) return none("off");
  if (shells === undefined) return without(log, "this system is not known", none("system"));
  const found = deps.findPty(shells);
  if (found.open === undefined) return without(log, found.reason, none("runtime"));
  const isChoice = shells.mayBeOthers() && settings.accounts.length > 0;
  const choice = isChoice ? settings.accounts : [undefined];
  const accounts = new Accounts({ shells, names: choice, clock, log });
  const parts = { open: found.open, shells, accounts };
  const terminals = new Terminals({ settings, clock, log, floods, parts });
  const offer = await terminals.offered();
  if (!isChoice && offer.state === "on") tellIgnored(settings, offer.accounts, log);
  return terminals;
}

function without(log: Log, reason: string, terminals: Terminals): Terminals {
  log.warn(CANNOT_OPEN, { reason });
  return terminals;
}

/** Only root can be another account than its own. */
function tellIgnored({ accounts }: TerminalSettings, names: readonly string[], log: Log): void {
  const ignored = accounts.filter((name) => !names.includes(name));
  if (ignored.length === 0) return;
  log.warn("only an agent that runs as root has terminals of other accounts", { ignored });
}
