import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { loadConfig } from "../../config/loadConfig.ts";
import type { Place } from "../place.ts";
import type { Installing, InstallingDeps, Platform } from "../platform.ts";
import { BackgroundProcess } from "../posix/background.ts";
import { prefixLayout, systemLayout } from "../posix/layouts.ts";
import { POSIX_RIGHTS } from "../posix/rights.ts";
import { SHELL_WRAPPER } from "../posix/wrapper.ts";
import { runCommand } from "../self.ts";
import { passwdAccounts } from "./accounts.ts";
import { LINUX_INVENTORY } from "./inventory.ts";
import { isSystemdRunning, SystemdService } from "./systemd.ts";
import { isPlain } from "./unit.ts";
import { type Writable, writableFor } from "./writable.ts";

/** Linux, whatever runs it. */
export const LINUX: Platform = {
  title: "Linux",
  dataDir: "/var/lib/rport",
  idReaders: ({ readFile: read }) => [
    () => read("/var/lib/dbus/machine-id"),
    () => read("/etc/machine-id"),
  ],
  inventory: LINUX_INVENTORY,
  installing: createInstalling,
};

function createInstalling({ programs, clock }: InstallingDeps): Installing {
  const accounts = passwdAccounts(programs);
  return {
    systemLayout: () => systemLayout(),
    prefixLayout,
    isPrivileged: () => process.getuid?.() === 0,
    accounts,
    rights: POSIX_RIGHTS,
    wrapper: SHELL_WRAPPER,
    service: async (place) => {
      if (place.layout.kind === "prefix" || !isSystemdRunning()) return undefined;
      return systemdOf(place, { programs, accounts });
    },
    background: (place, account) => {
      const { pidFile, logFile } = place.layout;
      const command = runCommand(place.layout, place.self);
      return new BackgroundProcess({ command, pidFile, logFile, account, clock, commandLineOf });
    },
  };
}

const commandLineOf = (pid: number) => readFile(`/proc/${pid}/cmdline`, "utf8");

type SystemdParts = Pick<Installing, "accounts"> & Pick<InstallingDeps, "programs">;

/** The agent of this place as a service of systemd, which lets it do what its configuration says. */
function systemdOf(place: Place, { programs, accounts }: SystemdParts): SystemdService {
  const { layout, self, user = "" } = place;
  const command = runCommand(layout, self);
  const unit = async (made: readonly string[]) => {
    const { paths, logsDirectories } = await configuredWritable(place, { made, accounts });
    const writable = [dirname(layout.config), ...paths.filter(isPlain)];
    return { user, command, writable, logsDirectories: logsDirectories.filter(isPlain) };
  };
  return new SystemdService({ programs, self, unit });
}

async function configuredWritable(
  { layout, user = "" }: Place,
  { made, accounts }: { readonly made: readonly string[] } & Pick<Installing, "accounts">,
): Promise<Writable> {
  const config = await loadConfig(layout.config).catch(() => undefined);
  const account = await accounts.find(user);
  if (config === undefined || account === undefined) return { paths: [], logsDirectories: [] };
  const { logFile, dataDir } = config;
  return writableFor({ logFile, dataDir, logsDirectories: made }, account);
}
