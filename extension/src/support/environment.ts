import { homedir, userInfo } from "node:os";

/** What the extension knows of the process around it. */
export interface Environment {
  readonly platform: NodeJS.Platform;
  readonly homeDirectory: string;
  /** The numeric user id; undefined on Windows. */
  readonly uid: number | undefined;
  /** An environment variable; undefined when unset or empty. */
  variable(name: string): string | undefined;
}

/** Whether a process of this user is running under this id, as far as one can see. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** The real one. The environment belongs to the user, so no workspace can set it. */
export const processEnvironment: Environment = {
  platform: process.platform,
  homeDirectory: homedir(),
  uid: process.platform === "win32" ? undefined : userInfo().uid,
  variable(name) {
    const value = process.env[name];
    return value === "" ? undefined : value;
  },
};
