import { join } from "node:path";

/** What says where programs of a person keep their state. */
export interface Person {
  readonly platform: NodeJS.Platform;
  readonly home: string;
  /** An environment variable; undefined when unset or empty. */
  readonly variable: (name: string) => string | undefined;
}

/** Where a backend of this person keeps its data unless told otherwise. */
export function usualDataDir(person: Person): string {
  return below(person, "rport");
}

/** The folder in which backends with data directories of their own say where those are. */
export function runningFolder(person: Person): string {
  return below(person, "rport-running");
}

function below({ platform, home, variable }: Person, name: string): string {
  if (platform === "win32") {
    return join(variable("LOCALAPPDATA") ?? join(home, "AppData", "Local"), name);
  }
  return join(variable("XDG_STATE_HOME") ?? join(home, ".local", "state"), name);
}
