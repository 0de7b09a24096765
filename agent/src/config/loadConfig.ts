import { readFile, stat } from "node:fs/promises";
import { RportError } from "@rport/protocol/errors";
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

/** The text of a configuration file, as far as it is there and not too large. */
async function readConfigText(file: string): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size <= CONFIG_MAX_BYTES) return await readFile(file, "utf8");
  } catch (error) {
    throw new RportError("BAD_REQUEST", `${file} cannot be read: ${textOf(error)}`);
  }
  throw new RportError("BAD_REQUEST", `${file} is larger than ${CONFIG_MAX_BYTES} bytes.`);
}
