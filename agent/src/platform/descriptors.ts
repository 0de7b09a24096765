import { closeSync, openSync } from "node:fs";
import { devNull } from "node:os";
import { textOf } from "./errorText.ts";

/** Two for each standard stream and two to hear whether it began, with some for what happens meanwhile. */
const PROGRAM_DESCRIPTORS = 12;
const OUT_OF_DESCRIPTORS = new Set(["EMFILE", "ENFILE"]);

/**
 * Why something could not be reached, in words. When this process has no descriptor left, that is the
 * reason, whatever the error says: Bun reports it as a refused connection or an unknown name.
 */
export function troubleOf(error: unknown): string {
  return hasDescriptors(1) ? textOf(error) : outOfDescriptors();
}

/**
 * Throws where this process has no room for the descriptors that the start of a program takes. Node loses for good
 * those of a program that could not be started for want of one (the sockets of its standard streams).
 */
export function requireProgramRoom(): void {
  if (!hasDescriptors(PROGRAM_DESCRIPTORS)) throw new Error(outOfDescriptors());
}

function hasDescriptors(count: number): boolean {
  const open: number[] = [];
  try {
    while (open.length < count) open.push(openSync(devNull, "r"));
    return true;
  } catch (error) {
    return !(error instanceof Error && "code" in error && isCode(error.code));
  } finally {
    for (const fd of open) closeSync(fd);
  }
}

const isCode = (code: unknown): boolean => OUT_OF_DESCRIPTORS.has(String(code));

function outOfDescriptors(): string {
  const raise = "LimitNOFILE= in the unit of the service raises it";
  return `this agent has as many files and connections open as it may have; ${raise}`;
}
