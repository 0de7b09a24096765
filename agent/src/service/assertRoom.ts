import { randomBytes } from "node:crypto";
import { open, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { CliFailure, EXIT } from "../cli/cliFailure.ts";
import { isPresent } from "../machine/placing.ts";
import { textOf } from "../platform/errorText.ts";

/** More than any of the small files that are written once the token is spent. */
const PROBE_BYTES = 64 << 10;

/**
 * Rejects with a `CliFailure` when a folder, or what is there of it, takes no file of 64 KiB: by
 * trying, because rights alone tell nothing of full disks and of read-only file systems.
 */
export async function assertRoom(folder: string): Promise<void> {
  const existing = await lowestExisting(folder);
  const probe = join(existing, `.rport-probe-${randomBytes(6).toString("hex")}`);
  try {
    const file = await open(probe, "wx", 0o600);
    try {
      await file.writeFile(Buffer.alloc(PROBE_BYTES));
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new CliFailure(EXIT.failed, `${existing} takes no files: ${textOf(error)}`);
  } finally {
    await rm(probe, { force: true }).catch(() => {});
  }
}

async function lowestExisting(folder: string): Promise<string> {
  return (await isPresent(folder)) ? folder : lowestExisting(dirname(folder));
}
