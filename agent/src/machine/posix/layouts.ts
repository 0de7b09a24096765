import { join } from "node:path";
import type { Layout } from "../layout.ts";

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
