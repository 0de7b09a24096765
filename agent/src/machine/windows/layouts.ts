import { win32 } from "node:path";
import type { Layout } from "../layout.ts";

const { join } = win32;

/** The name of the service of a system-wide installation. */
export const SERVICE_NAME = "rport";

/** Where Windows keeps programs and what belongs to them. */
export interface KnownFolders {
  readonly programFiles: string;
  readonly programData: string;
}

/** The folders of this machine; those that every Windows has where the environment is not said. */
export function knownFolders(environment: NodeJS.ProcessEnv): KnownFolders {
  return {
    programFiles: environment.ProgramFiles || "C:\\Program Files",
    programData: environment.ProgramData || "C:\\ProgramData",
  };
}

/** The system-wide places. RPort's own client has another folder for its program. */
export function systemLayout({ programFiles, programData }: KnownFolders): Layout {
  const program = join(programFiles, "rport-agent");
  const own = join(programData, "rport");
  return {
    kind: "system",
    program: join(program, "rport-agent.exe"),
    bundle: join(program, "agent.cjs"),
    config: join(own, "rport.conf"),
    dataDir: join(own, "state"),
    pidFile: join(program, "rport-agent.pid"),
    logFile: join(own, "rport-agent.log"),
    receipt: undefined,
  };
}

/** All places below one absolute directory. */
export function prefixLayout(prefix: string): Layout {
  return {
    kind: "prefix",
    program: join(prefix, "bin", "rport-agent.exe"),
    bundle: join(prefix, "lib", "agent.cjs"),
    config: join(prefix, "rport.conf"),
    dataDir: join(prefix, "state"),
    pidFile: join(prefix, "rport-agent.pid"),
    logFile: join(prefix, "rport-agent.log"),
    receipt: join(prefix, "install.json"),
  };
}
