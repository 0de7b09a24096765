import { behindLabel } from "../machineId.ts";
import { plainInventory } from "../plainInventory.ts";
import type { Installing, InstallingDeps, Platform } from "../platform.ts";
import { BackgroundProcess } from "../posix/background.ts";
import { runCommand } from "../self.ts";
import { windowsEnvironment } from "./environment.ts";
import { knownFolders, prefixLayout, systemLayout } from "./layouts.ts";
import { windowsListeners } from "./listeners.ts";
import { isAdministrator, programOf } from "./processes.ts";
import { aclRights } from "./rights.ts";
import { SERVICE_ACCOUNTS } from "./serviceAccount.ts";
import { joinServiceManager } from "./serviceSession.ts";
import { WINDOWS_SHELLS } from "./shells.ts";
import { WindowsService } from "./windowsService.ts";
import { NO_WRAPPER } from "./wrapper.ts";

const KEY = "HKLM\\SOFTWARE\\Microsoft\\Cryptography";
const REG = ["query", KEY, "/v", "MachineGuid", "/reg:64"];
const GUID = /MachineGuid\s+REG_SZ\s+(\S+)/;

/** Windows. */
export const WINDOWS: Platform = {
  title: "Windows",
  dataDir: "C:\\ProgramData\\rport",
  idReaders: ({ run }) => [behindLabel(() => run("reg.exe", REG), GUID)],
  inventory: plainInventory("windows", "win32"),
  listeners: windowsListeners,
  shells: WINDOWS_SHELLS,
  installing: createInstalling,
  joinServiceManager,
};

function createInstalling({ programs, clock }: InstallingDeps): Installing {
  return {
    systemLayout: () => systemLayout(knownFolders(process.env)),
    prefixLayout,
    isPrivileged: isAdministrator,
    // install.ps1 has looked: the access lists are read there.
    whyNotAt: async () => undefined,
    accounts: SERVICE_ACCOUNTS,
    rights: aclRights(programs),
    wrapper: NO_WRAPPER,
    locksPrograms: true,
    service: async ({ layout, self }) => {
      if (layout.kind === "prefix") return undefined;
      const { logFile } = layout;
      const command = runCommand(layout, self);
      const account = SERVICE_ACCOUNTS.defaultName;
      return new WindowsService({ programs, clock, self, command, account, logFile });
    },
    serviceManagers: "the service manager of Windows",
    background: ({ layout, self }, { pidFile = layout.pidFile }) =>
      new BackgroundProcess({
        command: runCommand(layout, self),
        pidFile,
        logFile: layout.logFile,
        account: undefined,
        clock,
        // The command line of another process is not told; which program it is tells enough, because
        // each prefix has its own.
        endsWith: async (pid) => isSamePath(programOf(pid), layout.program),
        environment: windowsEnvironment(),
      }),
  };
}

const isSamePath = (one: string, other: string) => one.toLowerCase() === other.toLowerCase();
