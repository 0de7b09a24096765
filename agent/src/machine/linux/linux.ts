import { readFile } from "node:fs/promises";
import type { Place } from "../place.ts";
import type { Installing, InstallingDeps, Platform } from "../platform.ts";
import { BackgroundProcess } from "../posix/background.ts";
import { prefixLayout, systemLayout } from "../posix/layouts.ts";
import { POSIX_RIGHTS } from "../posix/rights.ts";
import { whyNoRoot } from "../posix/trustedWay.ts";
import { SHELL_WRAPPER } from "../posix/wrapper.ts";
import { runCommand } from "../self.ts";
import type { Service } from "../supervisor.ts";
import { passwdAccounts } from "./accounts.ts";
import { configuredWritable } from "./configured.ts";
import { InitScript, type ScriptManager } from "./initScript.ts";
import { LINUX_INVENTORY } from "./inventory.ts";
import { linuxListeners } from "./listeners.ts";
import { isOpenrcRunning, OPENRC } from "./openrc.ts";
import { linuxShells } from "./shells.ts";
import { isSystemdRunning } from "./systemd.ts";
import { systemService } from "./systemService.ts";
import { findSysv } from "./sysv.ts";
import { userService } from "./userService.ts";

/** Linux, whatever runs it. */
export const LINUX: Platform = {
  title: "Linux",
  dataDir: "/var/lib/rport",
  idReaders: ({ readFile: read }) => [
    () => read("/var/lib/dbus/machine-id"),
    () => read("/etc/machine-id"),
  ],
  inventory: LINUX_INVENTORY,
  listeners: linuxListeners(),
  shells: linuxShells(),
  installing: createInstalling,
};

function createInstalling({ programs, clock }: InstallingDeps): Installing {
  const accounts = passwdAccounts(programs);
  return {
    systemLayout: () => systemLayout(),
    prefixLayout,
    isPrivileged: () => process.getuid?.() === 0,
    whyNotAt: (path) => whyNoRoot(path, programs),
    accounts,
    rights: POSIX_RIGHTS,
    wrapper: SHELL_WRAPPER,
    serviceManagers: "systemd, OpenRC and sysv init",
    service: (place) => findService(place, { programs, accounts }),
    background: (place, { account, pidFile = place.layout.pidFile }) => {
      const { logFile } = place.layout;
      const command = runCommand(place.layout, place.self);
      return new BackgroundProcess({ command, pidFile, logFile, account, clock, endsWith });
    },
  };
}

async function endsWith(pid: number, words: readonly string[]): Promise<boolean> {
  const found = await readFile(`/proc/${pid}/cmdline`, "utf8");
  return found.endsWith(
    words
      .map((word) => `\0${word}`)
      .concat("\0")
      .join(""),
  );
}

type Parts = Pick<Installing, "accounts"> & Pick<InstallingDeps, "programs">;

/** By what runs the machine now, not by what is installed on it. */
async function findService(place: Place, parts: Parts): Promise<Service | undefined> {
  const { programs } = parts;
  const isPrefix = place.layout.kind === "prefix";
  if (isSystemdRunning()) {
    return isPrefix ? userService(place, programs) : systemService(place, parts);
  }
  if (isPrefix) return undefined;
  const manager = (await isOpenrcRunning(programs)) ? OPENRC : await findSysv(programs);
  return manager && scriptService(place, manager, parts);
}

function scriptService(place: Place, manager: ScriptManager, { programs, accounts }: Parts) {
  const { layout, self, user = "", allowsTerminals = false } = place;
  const { logFile, program } = layout;
  const wanted = async () => {
    const { logsDirectories } = await configuredWritable(place, { made: [], accounts });
    const owner = await accounts.find(user);
    const command = runCommand(layout, self);
    return { user, allowsTerminals, command, logFile, program, logsDirectories, owner };
  };
  const obstacle = whyWithoutGroups(place, manager);
  return new InitScript({ programs, manager, logFile, obstacle, wanted });
}

/** A shell without the groups of its person has neither their files nor their sudo. */
function whyWithoutGroups(place: Place, { name, dropsGroups }: ScriptManager): string | undefined {
  const isForPerson = place.allowsTerminals === true && place.user !== "root";
  if (dropsGroups !== true || !isForPerson) return undefined;
  return `${name} would start the agent without the groups of ${place.user}. There, terminals are for root alone.`;
}
