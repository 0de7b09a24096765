import { join } from "node:path";

/** Where everything of an installation lies; absolute paths. */
export interface Layout {
  /** `system` needs root; `prefix` keeps everything below one directory of anybody's. */
  readonly kind: "system" | "prefix";
  /** What people and services start: the executable, or a small script that calls Node. */
  readonly program: string;
  /** The agent's single file for Node; unused by executables. */
  readonly bundle: string;
  readonly config: string;
  readonly dataDir: string;
  /** Of an agent that runs without a service. */
  readonly pidFile: string;
  readonly logFile: string;
  /** Which directories above `prefix` the installer made; only in a prefix. */
  readonly receipt: string | undefined;
}

/** The systemd unit of a system-wide installation. */
export const UNIT_NAME = "rport.service";

/** The account that runs the agent unless another one is asked for. */
export const DEFAULT_USER = "rport";

/** The system-wide places, where RPort keeps its own; `root` is for tests. */
export function systemLayout(root = "/"): Layout {
  return {
    kind: "system",
    program: join(root, "usr/local/bin/rport-agent"),
    bundle: join(root, "usr/local/lib/rport/agent.cjs"),
    config: join(root, "etc/rport/rport.conf"),
    dataDir: join(root, "var/lib/rport"),
    // Root writes these two, so they must not lie where the agent's account may plant a link.
    pidFile: join(root, "run/rport-agent.pid"),
    logFile: join(root, "var/log/rport-agent.log"),
    receipt: undefined,
  };
}

/** All places below one absolute directory. */
export function prefixLayout(prefix: string): Layout {
  return {
    kind: "prefix",
    program: join(prefix, "bin/rport-agent"),
    bundle: join(prefix, "lib/agent.cjs"),
    config: join(prefix, "rport.conf"),
    dataDir: join(prefix, "state"),
    pidFile: join(prefix, "rport-agent.pid"),
    logFile: join(prefix, "rport-agent.log"),
    receipt: join(prefix, "install.json"),
  };
}
