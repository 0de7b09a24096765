import { statSync } from "node:fs";
import { readNamedSync } from "@rport/protocol/local/smallFile";
import { StartFailure } from "./startFailure.ts";

const MAX_BYTES = 1_048_576;

/**
 * The text of a file with secrets that a setting names. Fails with a `StartFailure` that names the setting
 * when it cannot be read, or others than its owner may.
 */
export function readSecretFile(path: string, setting: string): string {
  try {
    const { mode } = statSync(path);
    if (process.platform !== "win32" && (mode & 0o077) !== 0) {
      throw new Error("others may read it; its mode has to be 0600");
    }
    const bytes = readNamedSync(path, MAX_BYTES);
    if (bytes === undefined) throw new Error("it is too large");
    return bytes.toString("utf8");
  } catch (error) {
    const why = error instanceof Error ? error.message : "";
    throw new StartFailure("configuration", `${setting}: ${path} cannot be used: ${why}`);
  }
}
