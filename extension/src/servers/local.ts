import { open } from "node:fs/promises";
import { join } from "node:path";
import {
  ENDPOINT_FILE,
  ENDPOINT_FILE_MAX_BYTES,
  type EndpointFile,
  endpointFileSchema,
} from "@rport/protocol/endpointFile";
import type { Environment } from "../support/environment.ts";
import { isLoopback } from "./config.ts";

/** Names another endpoint file; meant for a backend with a data directory of its own. */
export const ENDPOINT_FILE_VARIABLE = "RPORT_ENDPOINT_FILE";

/** What the endpoint file says, or why there is nothing to connect to. */
export type LocalBackend =
  | { readonly kind: "found"; readonly endpoint: EndpointFile }
  | { readonly kind: "absent"; readonly reason: string };

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
export async function findLocalBackend(environment: Environment): Promise<LocalBackend> {
  try {
    return await readEndpoint(endpointFilePath(environment), environment);
  } catch {
    return absent("No backend is running on this computer.");
  }
}

async function readEndpoint(path: string, { uid }: Environment): Promise<LocalBackend> {
  await using file = await open(path, "r");
  const facts = await file.stat();
  if (!facts.isFile() || facts.size > ENDPOINT_FILE_MAX_BYTES)
    return absent(`${path} is not ours.`);
  if (uid !== undefined && (facts.uid !== uid || (facts.mode & 0o077) !== 0)) {
    return absent(`${path} can be read or changed by other users, so it is not used.`);
  }
  const parsed = endpointFileSchema.safeParse(JSON.parse(await file.readFile("utf8")));
  if (!parsed.success) return absent(`${path} was written by another version.`);
  if (!isLoopback(parsed.data.url)) return absent(`${path} names another computer.`);
  return { kind: "found", endpoint: parsed.data };
}

function absent(reason: string): LocalBackend {
  return { kind: "absent", reason };
}
