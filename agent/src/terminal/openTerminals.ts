import type { TerminalOffer } from "@rport/protocol/terminal/terminal";
import type { TerminalSettings } from "../config/config.ts";
import type { Shells } from "../machine/shells.ts";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { Accounts } from "./accounts.ts";
import type { FoundPty } from "./findPty.ts";
import { Terminals } from "./terminals.ts";

/** What is asked before there are terminals. */
export interface OpenTerminalsDeps {
  readonly settings: TerminalSettings;
  /** Undefined: it is not known how to start shells on this system. */
  readonly shells: Shells | undefined;
  /** How terminals are opened in this runtime; asked only where they are allowed. */
  readonly findPty: (shells: Shells) => FoundPty;
  readonly clock: Clock;
  readonly log: Log;
}

/** The terminals of this host as its configuration, its runtime and its system allow them. */
export async function openTerminals(deps: OpenTerminalsDeps): Promise<Terminals> {
  const { settings, shells, clock, log } = deps;
  const none = (state: Exclude<TerminalOffer["state"], "on">) =>
    new Terminals({ settings, clock, log, parts: undefined, offer: { state } });
  if (!settings.isAllowed) return none("off");
  if (shells === undefined) return without(log, "this system is not known", none("system"));
  const found = deps.findPty(shells);
  if (found.open === undefined) return without(log, found.reason, none("runtime"));
  const isChoice = shells.mayBeOthers() && settings.accounts.length > 0;
  const accounts = new Accounts(shells, isChoice ? settings.accounts : [undefined]);
  const names = await accounts.names();
  tellOthers(settings, isChoice ? settings.accounts : [], { names, log });
  if (names.length === 0) return without(log, "none of the accounts is there", none("system"));
  log.info("terminals are allowed on this host", { accounts: names });
  const parts = { open: found.open, shells, accounts };
  return new Terminals({
    settings,
    clock,
    log,
    parts,
    offer: { state: "on", accounts: [...names] },
  });
}

function without(log: Log, reason: string, terminals: Terminals): Terminals {
  log.warn("terminals are allowed on this host, and cannot be opened", { reason });
  return terminals;
}

/** Whoever wrote an account reads that it is not there; only root can be another one than its own. */
function tellOthers(
  { accounts }: TerminalSettings,
  choice: readonly string[],
  { names, log }: { readonly names: readonly string[]; readonly log: Log },
): void {
  const others = accounts.filter((name) => !names.includes(name));
  for (const account of others.filter((name) => choice.includes(name))) {
    log.warn("an account of terminals is not there", { account });
  }
  if (choice.length === 0 && others.length > 0) {
    log.warn("only an agent that runs as root has terminals of other accounts", {
      ignored: others,
    });
  }
}
