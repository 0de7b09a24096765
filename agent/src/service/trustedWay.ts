import { mkdtemp } from "node:fs/promises";
import os from "node:os";
import { join } from "node:path";
import { CliFailure, EXIT } from "../cli/cliFailure.ts";
import type { Layout } from "../machine/layout.ts";
import type { Installing } from "../machine/platform.ts";

type Trusting = Pick<Installing, "whyNotAt">;

/**
 * Rejects with a `CliFailure` when the caller may change the whole machine, and something of a prefix, or
 * on the way to it, is another account's: whoever starts, replaces or removes what lies there would do it for
 * that account. The system-wide places are the system's.
 */
export async function assertOwnPrefix(layout: Layout, { whyNotAt }: Trusting): Promise<void> {
  if (layout.kind === "system") return;
  const { program, bundle, config, dataDir, pidFile, logFile, receipt = program } = layout;
  for (const path of [program, bundle, config, dataDir, pidFile, logFile, receipt]) {
    const whyNot = await whyNotAt(path);
    if (whyNot !== undefined) throw new CliFailure(EXIT.usage, whyNot);
  }
}

/**
 * A private directory that the caller removes: where the environment says, unless that is another
 * account's, which could put links into it. Rejects with a `CliFailure` where there is none.
 */
export async function makeTemporary({ whyNotAt }: Trusting): Promise<string> {
  let whyNot: string | undefined;
  for (const parent of new Set([os.tmpdir(), "/tmp"])) {
    whyNot = await whyNotAt(parent);
    if (whyNot === undefined) return await mkdtemp(join(parent, "rport-install-"));
  }
  throw new CliFailure(EXIT.failed, `There is no temporary directory. ${whyNot ?? ""}`);
}
