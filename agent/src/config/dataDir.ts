/** Where the agent keeps its state unless `client.data_dir` says otherwise. */
export function defaultDataDir(platform: NodeJS.Platform): string {
  return platform === "win32" ? "C:\\ProgramData\\rport" : "/var/lib/rport";
}
