import { RportError } from "@rport/protocol/errors";
import { t } from "@vscode/l10n";
import { SECTION, SETTINGS } from "../manifest.ts";
import { parseServer, SERVERS_MAX, type ServerConfig } from "./config.ts";

const SETTING = `${SECTION}.${SETTINGS.servers}`;

/** What may be changed of a server; what is not in it stays. */
export type ServerEdit = Partial<Omit<ServerConfig, "url">>;

/**
 * The setting with a server changed, or as it is where that changes nothing or no entry is the server's. All that
 * stands there stays as somebody wrote it: other entries, usable or not, and other members of that one.
 */
export function withEdit(setting: unknown, url: string, edit: ServerEdit): unknown {
  const entries = entriesOf(setting);
  const index = indexOf(entries, url);
  const entry = entries[index];
  if (typeof entry !== "object" || entry === null) return setting;
  const before: Readonly<Record<string, unknown>> = { ...entry };
  const members = Object.entries(membersOf(edit));
  if (members.every(([name, value]) => before[name] === value)) return setting;
  return entries.with(index, { ...before, ...Object.fromEntries(members) });
}

/**
 * The setting with one more server, or with this one in the place of the members that its entry has of it. Throws
 * `BAD_REQUEST` where the setting is no list, and `CONFLICT` where no more entries of it are read.
 */
export function withServer(setting: unknown, config: ServerConfig): unknown {
  const { url, ...edit } = config;
  if (hasServer(setting, url)) return withEdit(setting, url, edit);
  const entries = entriesOf(setting);
  if (entries.length < SERVERS_MAX) return [...entries, membersOf(config)];
  throw new RportError(
    "CONFLICT",
    t(
      "No more than {0} entries of the setting {1} are read: remove one first.",
      SERVERS_MAX,
      SETTING,
    ),
  );
}

/** Whether an entry that is read is this server's. */
export function hasServer(setting: unknown, url: string): boolean {
  return indexOf(entriesOf(setting), url) >= 0;
}

/** The setting without a server, also where it stands there again. Throws `BAD_REQUEST` where it is no list. */
export function withoutServer(setting: unknown, url: string): unknown {
  return entriesOf(setting).filter((entry) => parseServer(entry)?.url !== url);
}

/** The first one is the one that counts. */
function indexOf(entries: readonly unknown[], url: string): number {
  return entries.slice(0, SERVERS_MAX).findIndex((entry) => parseServer(entry)?.url === url);
}

/** The editor leaves out what is undefined. */
function membersOf(parts: Partial<ServerConfig>): Readonly<Record<string, unknown>> {
  return parts.fingerprint === "" ? { ...parts, fingerprint: undefined } : parts;
}

function entriesOf(setting: unknown): readonly unknown[] {
  if (setting === undefined) return [];
  if (Array.isArray(setting)) return setting;
  throw new RportError(
    "BAD_REQUEST",
    t("The setting {0} is not a list, and was not changed.", SETTING),
  );
}
