import { readFileSync, statSync } from "node:fs";
import { StartFailure } from "./startFailure.ts";

const MAX_BYTES = 1_048_576;

/**
 * The text of a file with secrets that a setting names. Fails with a `StartFailure` that names the setting
 * when it cannot be read, or others than its owner may.
 */
export function readSecretFile(path: string, setting: string): string {
  try {
    const { size, mode } = statSync(path);
    if (size > MAX_BYTES) throw new Error("it is too large");
    if (process.platform !== "win32" && (mode & 0o077) !== 0) {
      throw new Error("others may read it; its mode has to be 0600");
    }
    return readFileSync(path, "utf8");
  } catch (error) {
    const why = error instanceof Error ? error.message : "";
    throw new StartFailure("configuration", `${setting}: ${path} cannot be used: ${why}`);
  }
}
