import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hostKeyFileIn } from "../../../agent/src/host/hostKey.ts";
import { tempDirectory } from "../tempDirectory.ts";
import type { AgentFiles } from "./agent.ts";

/** How the copy differs from the host that it was made of. */
export interface CopyChange {
  /** The client id in its configuration. */
  readonly id?: string;
  /** It makes a host key of its own, as after a new installation. */
  readonly isWithoutKey?: boolean;
}

/** A copy of a host's disk: configuration and data directory, host key included. */
export interface CopiedHost extends AsyncDisposable {
  /** For `startEnrolledAgent`. */
  readonly configFile: string;
}

/** Copies what is on the disk of an agent, which may be running. */
export async function copyOfHost(
  files: Pick<AgentFiles, "configFile" | "dataDir">,
  change: CopyChange = {},
): Promise<CopiedHost> {
  const directory = await tempDirectory();
  const configFile = join(directory.path, "rport.conf");
  const dataDir = join(directory.path, "data");
  await cp(files.dataDir, dataDir, { recursive: true });
  if (change.isWithoutKey === true) await rm(hostKeyFileIn(dataDir));
  const text = (await readFile(files.configFile, "utf8")).replaceAll(files.dataDir, dataDir);
  const { id } = change;
  const own = id === undefined ? text : text.replace(/^id = .*$/m, `id = ${JSON.stringify(id)}`);
  await writeFile(configFile, own, { mode: 0o600 });
  return { configFile, [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose]() };
}
