import { access, readdir } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { EXTENSION_ID } from "../../manifest.ts";
import { windowsFolder } from "../../tunnels/sharing/windowsKey.ts";

/** Where an editor of one name keeps what an extension wants to last, in the editor's folder. */
const STORAGE = join("User", "globalStorage", EXTENSION_ID);
/** Servers of editors have folders of their own in somebody's home, and this in them. */
const SERVER_DATA = "data";

/** Whose editors are looked for. */
export interface Computer {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
}

/** This one. */
export function thisComputer(): Computer {
  return { platform: process.platform, env: process.env, home: homedir() };
}

/**
 * The folders that the windows of an editor share, of all editors of this person in which the extension has run:
 * whatever they are called, since each has a folder of its own where the system has those.
 */
export async function storagesOfEditors(computer: Computer): Promise<readonly string[]> {
  const places = placesOfEditors(computer).map(async (place) => namesIn(place, ""));
  const servers = (await namesIn(computer.home, ".")).map((folder) => join(folder, SERVER_DATA));
  const found = [...(await Promise.all(places)).flat(), ...servers].map((editor) =>
    join(editor, STORAGE),
  );
  const isThere = await Promise.all(found.map(hasRun));
  return found.filter((_, at) => isThere[at]);
}

function placesOfEditors({ platform, env, home }: Computer): readonly string[] {
  const data = env.XDG_DATA_HOME || join(home, ".local", "share");
  if (platform === "win32") return [env.APPDATA || join(home, "AppData", "Roaming")];
  if (platform === "darwin") return [join(home, "Library", "Application Support"), data];
  return [env.XDG_CONFIG_HOME || join(home, ".config"), data];
}

async function namesIn(folder: string, beginning: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  return names
    .filter((name) => name.startsWith(beginning))
    .sort()
    .map((name) => join(folder, name));
}

function hasRun(storage: string): Promise<boolean> {
  return access(windowsFolder(storage)).then(
    () => true,
    () => false,
  );
}
