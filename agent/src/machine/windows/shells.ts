import { userInfo } from "node:os";
import { win32 } from "node:path";
import type { Shells } from "../shells.ts";
import { windowsEnvironment } from "./environment.ts";

/** Shells of Windows: of the agent's own account, which a service does not leave. */
export const WINDOWS_SHELLS: Shells = {
  mayBeOthers: () => false,
  find: async (name) => {
    const { USERNAME, USERPROFILE = "", ComSpec = "" } = process.env;
    const own = USERNAME || userInfo().username;
    if (name !== undefined && name !== own) return undefined;
    return { name: own, ids: undefined, home: USERPROFILE, shell: ComSpec };
  },
  program: (account, wish) => {
    const usual = windowsEnvironment();
    const system = win32.join(usual.SystemRoot ?? "", "System32");
    const shell = wish.shell || account.shell || win32.join(system, "cmd.exe");
    const own = { USERNAME: account.name, USERPROFILE: account.home, ComSpec: shell };
    const cwd = wish.cwd ?? (account.home || system);
    return {
      shell,
      file: shell,
      args: [],
      cwd,
      env: { ...usual, ...own, ...wish.env },
      uid: undefined,
    };
  },
  flags: undefined,
  stopping: undefined,
  terminals: () => new Set(),
  processes: undefined,
};
