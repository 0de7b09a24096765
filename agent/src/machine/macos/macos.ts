import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { behindLabel } from "../machineId.ts";
import type { Installing, InstallingDeps, Platform } from "../platform.ts";
import { BackgroundProcess } from "../posix/background.ts";
import { prefixLayout, systemLayout } from "../posix/layouts.ts";
import { POSIX_RIGHTS } from "../posix/rights.ts";
import { whyNoRoot } from "../posix/trustedWay.ts";
import { SHELL_WRAPPER } from "../posix/wrapper.ts";
import { runCommand } from "../self.ts";
import { directoryAccounts } from "./accounts.ts";
import { MACOS_INVENTORY } from "./inventory.ts";
import { daemonOf, userAgentOf } from "./jobs.ts";
import { macosListeners } from "./listeners.ts";
import { MACOS_SHELLS } from "./shells.ts";

const IOREG = ["-rd1", "-c", "IOPlatformExpertDevice"];
const UUID = /"IOPlatformUUID" = "([^"]+)"/;

/** macOS. */
export const MACOS: Platform = {
  title: "macOS",
  dataDir: "/var/lib/rport",
  idReaders: ({ run }) => [behindLabel(() => run("ioreg", IOREG), UUID)],
  inventory: MACOS_INVENTORY,
  listeners: macosListeners,
  shells: MACOS_SHELLS,
  installing: (deps) => macosInstalling(deps),
};

/** How macOS is installed on; `root` is for tests. */
export function macosInstalling(deps: InstallingDeps, root = "/"): Installing {
  const { programs, clock } = deps;
  const accounts = directoryAccounts(programs);
  const parts = { programs, clock, accounts, root };
  return {
    systemLayout: () => ({
      ...systemLayout(root),
      pidFile: join(root, "var/run/rport-agent.pid"),
    }),
    prefixLayout,
    isPrivileged: () => process.getuid?.() === 0,
    whyNotAt: (path) => whyNoRoot(path, programs),
    accounts,
    rights: POSIX_RIGHTS,
    wrapper: SHELL_WRAPPER,
    serviceManagers: "launchd",
    service: async (place) =>
      place.layout.kind === "prefix" ? userAgentOf(place, parts) : daemonOf(place, parts),
    background: (place, { account, pidFile = place.layout.pidFile }) => {
      const { logFile } = place.layout;
      const command = runCommand(place.layout, place.self);
      return new BackgroundProcess({ command, pidFile, logFile, account, clock, endsWith });
    },
  };
}

/** `ps` does not tell where a word ends; ours have no other words behind them. */
async function endsWith(pid: number, words: readonly string[]): Promise<boolean> {
  const args = ["-ww", "-o", "command=", "-p", String(pid)];
  const { stdout } = await promisify(execFile)("/bin/ps", args);
  return stdout.trimEnd().endsWith(` ${words.join(" ")}`);
}
