import { join } from "node:path";
import type { Log } from "../../../../extension/src/support/log.ts";
import { windowsKey } from "../../../../extension/src/tunnels/sharing/windowsKey.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";
import { silentLog } from "../serverFixture.ts";

/** A storage folder, and why somebody was warned while its key was asked for. */
export async function keyStorage() {
  const directory = await tempDirectory();
  const folder = join(directory.path, "windows");
  const warnings: unknown[] = [];
  const log: Log = { ...silentLog, warn: (_, fields) => warnings.push(fields?.why) };
  return {
    folder,
    path: join(folder, "key"),
    warnings,
    key: () => windowsKey(directory.path, log),
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
}
