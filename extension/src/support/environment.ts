import { homedir } from "node:os";
import type { Person } from "@rport/protocol/local/stateFolders";

/** What the extension knows of the process around it. */
export interface Environment {
  readonly platform: NodeJS.Platform;
  readonly homeDirectory: string;
  /** The numeric user id; undefined on Windows. */
  readonly uid: number | undefined;
  /** An environment variable; undefined when unset or empty. */
  variable(name: string): string | undefined;
}

/** Whose programs are looked for. */
export function personOf(environment: Environment): Person {
  const { platform, homeDirectory: home } = environment;
  return { platform, home, variable: (name) => environment.variable(name) };
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
