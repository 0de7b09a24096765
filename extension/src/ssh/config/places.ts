import { createHash } from "node:crypto";
import { homedir, userInfo } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import { RportError } from "@rport/protocol/errors";
import { t } from "@vscode/l10n";
import { includePath } from "./quoting.ts";

/** Files of ours lie in a folder of this name beside somebody's configuration. */
const FOLDER = "rport.d";
/** What our files about hosts end in. */
export const ENDING = ".conf";

/** `ssh` reads our files in the order of their names, and goes by the first that has something to say of a name. */
const LAST = "unknown-";

/** Where everything lies that `ssh` is told. */
export interface Places {
  /** Somebody's own configuration. */
  readonly config: string;
  /** Of all editors of this person; each has files of its own in it. */
  readonly folder: string;
  /** What this editor says of hosts. */
  readonly hosts: string;
  /** What it says of names that no editor has told of. */
  readonly unknown: string;
  readonly launcher: string;
  /** What stands in somebody's configuration, for all editors. */
  readonly line: string;
}

/**
 * Where everything lies, for an editor that is known by its storage folder. `setting` is the full path of another
 * configuration than the usual one, or empty. Throws `BAD_REQUEST` for one that `ssh` cannot be told.
 */
export function placesOf(storage: string, setting: string): Places {
  const usual = join(homeOfSsh(), ".ssh");
  const config = setting === "" ? join(usual, "config") : setting;
  if (!isAbsolute(config)) {
    throw new RportError("BAD_REQUEST", t("The path of the ssh configuration is not a full one."));
  }
  const folder = join(dirname(config), FOLDER);
  const mark = createHash("sha256").update(storage).digest("hex").slice(0, 16);
  const launcher = join(folder, `${mark}${process.platform === "win32" ? ".cmd" : ".sh"}`);
  // what is not a full path is looked for in ~/.ssh: it needs no quotes, whatever somebody is called
  const isUsual = dirname(config) === usual;
  const included = isUsual ? `${FOLDER}/*${ENDING}` : anyIn(folder);
  return {
    config,
    folder,
    hosts: join(folder, mark + ENDING),
    unknown: join(folder, LAST + mark + ENDING),
    launcher,
    line: `Include ${included}`,
  };
}

function anyIn(folder: string): string {
  return includePath(folder).replace(/"$/, `/*${ENDING}"`);
}

/** `ssh` asks the system for it, and not the environment. */
function homeOfSsh(): string {
  try {
    return userInfo().homedir;
  } catch {
    // an account that the system does not know
    return homedir();
  }
}
