import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Programs } from "../programs.ts";
import { type CommandLine, SCRIPT_NAME, type ScriptManager } from "./initScript.ts";
import { checkedFacts } from "./scriptFacts.ts";
import { headOf } from "./unit.ts";

/** The pipe by which the older init is spoken to: it is there when that init runs the machine. */
const PIPES = ["run/initctl", "dev/initctl"];
const START_FOLDERS = ["/etc/rc2.d", "/etc/rc3.d", "/etc/rc.d/rc3.d"];
const START_LINK = new RegExp(`^S\\d\\d${SCRIPT_NAME}$`);
/** Not the one of an agent without a service: the two are told apart by it. */
const PID_FILE = "/run/rport.pid";

/** How the older init is told which scripts to start. */
interface Registry {
  readonly enable: CommandLine;
  readonly disable: CommandLine;
}

const UPDATE_RC: Registry = {
  enable: ["update-rc.d", SCRIPT_NAME, "defaults"],
  disable: ["update-rc.d", "-f", SCRIPT_NAME, "remove"],
};
const CHKCONFIG: Registry = {
  enable: ["chkconfig", "--add", SCRIPT_NAME],
  disable: ["chkconfig", "--del", SCRIPT_NAME],
};

/** The older init with its tool, when it runs this machine. */
export async function findSysv(programs: Programs, root = "/"): Promise<ScriptManager | undefined> {
  if (!PIPES.some((pipe) => existsSync(join(root, pipe)))) return undefined;
  const has = async (program: string) =>
    (await programs.run("sh", ["-c", `command -v ${program}`])).code === 0;
  if (await has("update-rc.d")) return sysv(UPDATE_RC);
  return (await has("chkconfig")) ? sysv(CHKCONFIG) : undefined;
}

function sysv(registry: Registry): ScriptManager {
  const script = `/etc/init.d/${SCRIPT_NAME}`;
  return {
    name: "sysv init",
    caveats: [
      "This init starts the agent with the machine, and does not start it again if it ends.",
    ],
    ...registry,
    dropsGroups: true,
    isEnabled: async () => {
      const lists = await Promise.all(START_FOLDERS.map((path) => readdir(path).catch(() => [])));
      return lists.flat().some((name) => START_LINK.test(name));
    },
    restart: [script, "restart"],
    stop: [script, "stop"],
    status: [script, "status"],
    isUp: (code) => code === 0,
    render: (facts) => {
      const { user, program, allowsTerminals } = checkedFacts(facts);
      return `#!/bin/sh
### BEGIN INIT INFO
# Provides:          ${SCRIPT_NAME}
# Required-Start:    $remote_fs $network
# Required-Stop:     $remote_fs $network
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: RPort agent
### END INIT INFO
# chkconfig: 2345 90 10
# description: RPort agent
${headOf(allowsTerminals)}
# It runs as ${user}.
case \${1-} in
  start | stop | restart)
    exec ${program} background "$1" --user ${user} --pid-file ${PID_FILE} ;;
  force-reload)
    exec ${program} background restart --user ${user} --pid-file ${PID_FILE} ;;
  status)
    ${program} background status --user ${user} --pid-file ${PID_FILE} || exit 3 ;;
  *)
    echo "Usage: $0 {start|stop|restart|force-reload|status}" >&2
    exit 2 ;;
esac
`;
    },
  };
}
