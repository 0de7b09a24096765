import { closeSync, openSync } from "node:fs";
import { devNull } from "node:os";
import { textOf } from "./errorText.ts";

const OUT_OF_DESCRIPTORS = new Set(["EMFILE", "ENFILE"]);

/**
 * Why something could not be reached, in words. When this process has no descriptor left, that is the
 * reason, whatever the error says: Bun reports it as a refused connection or an unknown name.
 */
export function troubleOf(error: unknown): string {
  return hasDescriptor() ? textOf(error) : outOfDescriptors();
}

function hasDescriptor(): boolean {
  try {
    closeSync(openSync(devNull, "r"));
    return true;
  } catch (error) {
    return !(error instanceof Error && "code" in error && isCode(error.code));
  }
}

const isCode = (code: unknown): boolean => OUT_OF_DESCRIPTORS.has(String(code));

function outOfDescriptors(): string {
  const raise = "LimitNOFILE= in the unit of the service raises it";
  return `this agent has as many files and connections open as it may have; ${raise}`;
}
