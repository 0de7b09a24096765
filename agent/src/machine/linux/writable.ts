import { realpath, stat } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, normalize } from "node:path";
import type { AgentConfig } from "../../config/config.ts";
import type { Account } from "../account.ts";
import { idsOf } from "../posix/rights.ts";

/** What a service may write to, beside its state and the folder of its configuration. */
export interface Writable {
  readonly paths: readonly string[];
  /** Directories below /var/log that systemd makes for it, by their names. */
  readonly logsDirectories: readonly string[];
}

/** Where a configuration makes the agent write, and what was made for that before. */
export interface WrittenTo extends Pick<AgentConfig, "logFile" | "dataDir"> {
  /** Directories for logs that the service had so far: systemd made them, and goes on doing so. */
  readonly logsDirectories: readonly string[];
}

const LOGS = "/var/log";
/** What may be made there: names that no other program takes for its own, RPort's own among them. */
const LOG_NAMES: readonly string[] = ["rport", "rport-client", "rport-agent"];
/** Writable already: the service's state. */
const STATE = "/var/lib/rport";

/**
 * What the configuration needs beyond the usual. Nothing is opened that the agent's account could
 * not write to without the service's hardening: the configuration is that account's own file, and
 * must not make a way out of it: nor where that account could put a link later, nor a folder that another
 * program expects to be its own. What is left out, the agent tells when it runs.
 */
export async function writableFor(
  { logFile, dataDir, logsDirectories: made }: WrittenTo,
  account: Account,
  logs = LOGS,
): Promise<Writable> {
  const paths: string[] = [];
  const logsDirectories: string[] = [];
  const folder = dirname(normalize(logFile));
  const name = basename(folder);
  const isForLogs = isAbsolute(logFile) && dirname(folder) === logs && LOG_NAMES.includes(name);
  if (isForLogs && (made.includes(name) || (await isMissing(folder)))) logsDirectories.push(name);
  else if (isAbsolute(logFile)) paths.push(...(await logPaths(normalize(logFile), account)));
  const isElsewhere = isAbsolute(dataDir) && !isBelow(dataDir, STATE);
  const data = withoutSlash(normalize(dataDir));
  if (isElsewhere && (await isOpen(data, account))) paths.push(data);
  return { paths, logsDirectories };
}

/** The folder, so that the log can be rotated; else the file alone; else nothing. */
async function logPaths(file: string, account: Account): Promise<readonly string[]> {
  if (isBelow(file, STATE)) return [];
  if (await isOpen(dirname(file), account)) return [dirname(file)];
  return (await isOpen(file, account)) ? [file] : [];
}

/** What the account may write to and cannot exchange. */
async function isOpen(path: string, account: Account): Promise<boolean> {
  return (await mayWrite(path, account)) && (await isFixed(path, account));
}

/** Whether a path has no link in it, and the account can put none there. */
async function isFixed(path: string, account: Account): Promise<boolean> {
  if ((await realpath(path).catch(() => undefined)) !== path) return false;
  for (let at = path; at !== dirname(at); at = dirname(at)) {
    if (await mayExchange(at, account)) return false;
  }
  return true;
}

/** By its folder: in one like /tmp, everybody exchanges what is their own. */
async function mayExchange(path: string, account: Account): Promise<boolean> {
  const { uid } = idsOf(account.owner);
  const [folder, own] = await Promise.all([stat(dirname(path)), stat(path)]);
  if (folder.uid === uid) return true;
  const isForAll = (folder.mode & 0o002) !== 0;
  if (!isForAll && !(await mayWrite(dirname(path), account))) return false;
  return (folder.mode & 0o1000) === 0 || own.uid === uid;
}

async function isMissing(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) === undefined;
}

/** By owner and group alone: what everybody may write to, such as /tmp, needs no way through. */
async function mayWrite(path: string, { owner }: Account): Promise<boolean> {
  const { uid, gid } = idsOf(owner);
  const stats = await stat(path).catch(() => undefined);
  if (stats === undefined) return false;
  return (
    (stats.uid === uid && (stats.mode & 0o200) !== 0) ||
    (stats.gid === gid && (stats.mode & 0o020) !== 0)
  );
}

const withoutSlash = (path: string) => (path === "/" ? path : path.replace(/\/$/, ""));

function isBelow(path: string, folder: string): boolean {
  return normalize(path) === folder || normalize(path).startsWith(join(folder, "/"));
}
