import { loadConfig } from "./loadConfig.ts";

/** Where the agent of a configuration keeps its state. Rejects as `loadConfig` does. */
export async function configuredDataDir(file: string, otherwise: string): Promise<string> {
  return (await loadConfig(file)).dataDir || otherwise;
}
