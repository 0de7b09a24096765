import { loadConfig } from "./loadConfig.ts";

/** Where the agent keeps its state unless `client.data_dir` says otherwise. */
export function defaultDataDir(platform: NodeJS.Platform): string {
  return platform === "win32" ? "C:\\ProgramData\\rport" : "/var/lib/rport";
}

/** Where the agent of a configuration keeps its state. Rejects as `loadConfig` does. */
export async function configuredDataDir(
  file: string,
  otherwise = defaultDataDir(process.platform),
): Promise<string> {
  return (await loadConfig(file)).dataDir || otherwise;
}
