import { RportError } from "@rport/protocol/errors";
import { readSmallFile } from "@rport/protocol/local/smallFile";
import { textOf } from "../platform/errorText.ts";
import {
  type AgentConfig,
  CONFIG_MAX_BYTES,
  type ConfigEnvironment,
  parseConfig,
} from "./config.ts";

/** Reads and parses `rport.conf`. Rejects with `BAD_REQUEST` and a sentence that names the file. */
export async function loadConfig(
  file: string,
  environment: ConfigEnvironment = process.env,
): Promise<AgentConfig> {
  return parseConfig(await readConfigText(file), file, environment);
}

async function readConfigText(file: string): Promise<string> {
  try {
    return await readSmallFile(file, CONFIG_MAX_BYTES);
  } catch (error) {
    throw new RportError("BAD_REQUEST", `${file} cannot be read: ${textOf(error)}`);
  }
}
