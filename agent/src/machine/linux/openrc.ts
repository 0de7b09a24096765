import { existsSync } from "node:fs";
import { join } from "node:path";
import { isPresent } from "../placing.ts";
import type { Programs } from "../programs.ts";
import { SCRIPT_NAME, type ScriptManager } from "./initScript.ts";
import { checkedFacts } from "./scriptFacts.ts";
import { headOf } from "./unit.ts";

const RUNLEVEL = "default";
/** What `status` ends with when it is started, starting, or waits for something else. */
const UP_CODES: readonly number[] = [0, 8, 16];

/** Whether OpenRC runs this machine: its state, and the very program that is needed. */
export async function isOpenrcRunning(programs: Programs, root = "/"): Promise<boolean> {
  if (!existsSync(join(root, "run/openrc"))) return false;
  return (await programs.run("sh", ["-c", "command -v rc-service"])).code === 0;
}

/**
 * OpenRC, whose `supervise-daemon` starts an agent again that has ended. Its `no_new_privs` is not
 * used: there are releases that hand it on misspelt, and start nothing then.
 */
export const OPENRC: ScriptManager = {
  name: "OpenRC",
  caveats: [],
  enable: ["rc-update", "--quiet", "add", SCRIPT_NAME, RUNLEVEL],
  disable: ["rc-update", "--quiet", "del", SCRIPT_NAME, RUNLEVEL],
  isEnabled: () => isPresent(join("/etc/runlevels", RUNLEVEL, SCRIPT_NAME)),
  restart: ["rc-service", SCRIPT_NAME, "restart"],
  stop: ["rc-service", SCRIPT_NAME, "stop"],
  status: ["rc-service", SCRIPT_NAME, "status"],
  isUp: (code) => UP_CODES.includes(code),
  render: (facts) => {
    const { user, command, logFile, allowsTerminals } = checkedFacts(facts);
    const [program, ...args] = command;
    return `#!/sbin/openrc-run
${headOf(allowsTerminals)}
# It runs as ${user}.
# Changes belong into /etc/conf.d/${SCRIPT_NAME}, not here.
description="RPort agent"
supervisor=supervise-daemon
command="${program}"
command_args="${args.join(" ")}"
command_user="${user}"
directory=/
umask=${allowsTerminals ? "022" : "077"}
respawn_delay=5
respawn_max=0
retry="TERM/10/KILL/5"
rc_ulimit="${allowsTerminals ? "-S -c" : "-c"} 0"
output_log="${logFile}"
error_log="${logFile}"
export DO_NOT_TRACK=1 BUN_ENABLE_CRASH_REPORTING=0

depend() {
  use net
  after firewall
}

start_pre() {
  checkpath -f -m 0640 -o "${user}" "${logFile}"
}
`;
  },
};
