import { join } from "node:path";
import { ENDPOINT_FILE } from "@rport/protocol/endpointFile";
import { type ReadEndpoint, readEndpoint } from "@rport/protocol/local/endpointReader";
import type { Environment } from "../support/environment.ts";
import { isLoopback } from "./config.ts";

/** Names another endpoint file; meant for a backend with a data directory of its own. */
export const ENDPOINT_FILE_VARIABLE = "RPORT_ENDPOINT_FILE";

/** Where a backend of this person leaves its endpoint file. */
export function endpointFilePath(environment: Environment): string {
  const named = environment.variable(ENDPOINT_FILE_VARIABLE);
  if (named !== undefined) return named;
  const { homeDirectory, platform } = environment;
  if (platform === "win32") {
    const local = environment.variable("LOCALAPPDATA") ?? join(homeDirectory, "AppData", "Local");
    return join(local, "rport", ENDPOINT_FILE);
  }
  const state = environment.variable("XDG_STATE_HOME") ?? join(homeDirectory, ".local", "state");
  return join(state, "rport", ENDPOINT_FILE);
}

/** Reads the endpoint file. It is believed only when nobody else could have written it. */
export async function findLocalBackend(environment: Environment): Promise<ReadEndpoint> {
  const path = endpointFilePath(environment);
  try {
    const read = await readEndpoint(path, environment.uid);
    if (read.kind === "absent" || isLoopback(read.endpoint.url)) return read;
    return absent(`${path} names another computer.`);
  } catch {
    return absent("No backend is running on this computer.");
  }
}

function absent(reason: string): ReadEndpoint {
  return { kind: "absent", reason };
}
