import { join } from "node:path";
import { ENDPOINT_FILE } from "@rport/protocol/endpointFile";
import { type ReadEndpoint, readEndpoint } from "@rport/protocol/local/endpointReader";
import { usualDataDir } from "@rport/protocol/local/stateFolders";
import { t } from "@vscode/l10n";
import { type Environment, personOf } from "../support/environment.ts";
import { isLoopback } from "./config.ts";

/** Names another endpoint file; meant for a backend with a data directory of its own. */
export const ENDPOINT_FILE_VARIABLE = "RPORT_ENDPOINT_FILE";

/** Where a backend of this person leaves its endpoint file, in this data directory or in the usual one. */
export function endpointFilePath(environment: Environment, dataDir?: string): string {
  if (dataDir !== undefined) return join(dataDir, ENDPOINT_FILE);
  const named = environment.variable(ENDPOINT_FILE_VARIABLE);
  return named ?? join(usualDataDir(personOf(environment)), ENDPOINT_FILE);
}

/** Reads the endpoint file. It is believed only when nobody else could have written it. */
export async function findLocalBackend(
  environment: Environment,
  dataDir?: string,
): Promise<ReadEndpoint> {
  const path = endpointFilePath(environment, dataDir);
  try {
    const read = await readEndpoint(path, environment.uid);
    if (read.kind === "absent" || isLoopback(read.endpoint.url)) return read;
    return absent(t("{0} names another computer.", path));
  } catch {
    return absent(t("No backend is running on this computer."));
  }
}

function absent(reason: string): ReadEndpoint {
  return { kind: "absent", reason };
}
