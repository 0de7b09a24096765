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

/** How a person forbids the terminals of an installed agent again. */
export function howToTakeBack({ layout }: Place, server: string): string {
  const where = layout.receipt === undefined ? [] : ["--prefix", dirname(layout.receipt)];
  return commandLine([layout.program, "install", "--server", server, "--no-terminals", ...where]);
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
