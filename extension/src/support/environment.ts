import { homedir } from "node:os";

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

/**
 * The real one. The environment belongs to the user, so no workspace can set it. Who the user is may have
 * to be looked up elsewhere, so it is asked for only when it is needed.
 */
export const processEnvironment: Environment = {
  platform: process.platform,
  get homeDirectory() {
    return homedir();
  },
  get uid() {
    return process.geteuid?.();
  },
  variable(name) {
    const value = process.env[name];
    return value === "" ? undefined : value;
  },
};
