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
