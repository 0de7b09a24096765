import { dirname } from "node:path";
import { CliFailure, EXIT } from "../cli/cliFailure.ts";
import type { Place } from "../machine/place.ts";
import type { Installing } from "../machine/platform.ts";
import { commandLine } from "./commandLine.ts";

/** How a person removes what is installed in a place. */
export function howToRemove({ layout }: Place, { locksPrograms }: Installing): string {
  const prefix = layout.receipt === undefined ? undefined : dirname(layout.receipt);
  if (locksPrograms) {
    return `install.ps1 -Uninstall${prefix === undefined ? "" : ` -Prefix '${prefix}'`}`;
  }
  const where = prefix === undefined ? [] : ["--prefix", prefix];
  return commandLine([layout.program, "uninstall", ...where]);
}

/** What a person types to say something else of the terminals of an installed agent. */
export interface TerminalCommands {
  readonly allow: string;
  readonly forbid: string;
}

/** How a person says something else of the terminals of an installed agent. */
export function terminalCommands({ layout }: Place, server: string): TerminalCommands {
  const where = layout.receipt === undefined ? [] : ["--prefix", dirname(layout.receipt)];
  const command = (...said: readonly string[]) =>
    commandLine([layout.program, "install", "--server", server, ...said, ...where]);
  return { allow: command("--terminals", "ACCOUNT"), forbid: command("--no-terminals") };
}

/**
 * Throws a `CliFailure` where the program that runs is the one to be removed, and the system does not
 * let that happen.
 */
export function assertRemovesOther({ layout, self }: Place, { locksPrograms }: Installing): void {
  if (!locksPrograms || self.file.toLowerCase() !== layout.program.toLowerCase()) return;
  const sentence = "Windows removes no program that runs.";
  const way = "Use install.ps1 -Uninstall, or a copy of this program.";
  throw new CliFailure(EXIT.usage, `${sentence} ${way}`);
}
