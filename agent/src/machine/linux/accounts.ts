import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { ACCOUNT_NAME, type Account, type Accounts, whyNotPlain } from "../account.ts";
import { isNoShell } from "../posix/shells.ts";
import { must, type Programs } from "../programs.ts";
import type { Undo } from "../undo.ts";

/** The mark by which an account is recognised as made by us; only root can change it. */
const COMMENT = "RPort agent (made by its installer)";
const HOME = "/var/lib/rport";
const SHELL = "/usr/sbin/nologin";

/** The accounts of systems with `useradd` or, as BusyBox has it, `adduser`. */
export function passwdAccounts(programs: Programs): Accounts {
  return {
    defaultName: "rport",
    whyNot: whyNotPlain,
    whyNoTerminal: (name) => whyNoTerminal(programs, name),
    find: (name) => findAccount(programs, name),
    ensure: (name, undo) => ensureAccount(programs, name, undo),
    remove: (name) => removeAccount(programs, name),
  };
}

/** An account, and the program that begins when its person logs in. */
interface Entry {
  readonly account: Account;
  readonly shell: string;
}

/** Without a shell of its own an account has the usual one. */
const USUAL_SHELL = "/bin/sh";

async function whyNoTerminal(programs: Programs, name: string): Promise<string | undefined> {
  if (!ACCOUNT_NAME.test(name)) return "--terminals must name an account in plain lower case.";
  const entry = await findEntry(programs, name);
  if (entry === undefined)
    return `There is no account ${name} here. Name one that people log in to.`;
  const { shell } = entry;
  const isShell = !isNoShell(shell) && (await isExecutable(shell));
  if (isShell) return undefined;
  return `Nobody can log in as ${name}, whose shell is ${shell}. Name another account.`;
}

async function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}

async function findAccount(programs: Programs, name: string): Promise<Account | undefined> {
  return (await findEntry(programs, name))?.account;
}

async function findEntry(programs: Programs, name: string): Promise<Entry | undefined> {
  const { code, stdout } = await programs.run("getent", ["passwd", name]);
  if (code === 0) return parsePasswd(stdout, name);
  // Small systems have no getent.
  const { stdout: all } = await programs.run("cat", ["/etc/passwd"]);
  return parsePasswd(all, name);
}

async function ensureAccount(programs: Programs, name: string, undo: Undo): Promise<Account> {
  const existing = await findAccount(programs, name);
  if (existing !== undefined) return existing;
  undo.add(`remove the user ${name}`, () => removeAccount(programs, name));
  await create(programs, name);
  const created = await findAccount(programs, name);
  if (created === undefined) throw new Error(`the user ${name} was made, but is not there`);
  return created;
}

async function removeAccount(programs: Programs, name: string): Promise<void> {
  const account = await findAccount(programs, name);
  if (account?.isOurs !== true) return;
  if (await has(programs, "userdel")) await must(programs, "userdel", [name]);
  else await must(programs, "deluser", [name]);
  // Gone already on most systems, together with its user.
  if (await has(programs, "groupdel")) await programs.run("groupdel", [name]);
  else await programs.run("delgroup", [name]);
}

async function create(programs: Programs, name: string): Promise<void> {
  if (await has(programs, "useradd")) {
    const looks = ["--no-create-home", "--home-dir", HOME, "--shell", SHELL, "--comment", COMMENT];
    await must(programs, "useradd", ["--system", "--user-group", ...looks, name]);
    return;
  }
  // BusyBox.
  await must(programs, "addgroup", ["-S", name]);
  const looks = ["-S", "-D", "-H", "-h", HOME, "-s", SHELL, "-g", COMMENT];
  await must(programs, "adduser", [...looks, "-G", name, name]);
}

async function has(programs: Programs, program: string): Promise<boolean> {
  const script = `command -v ${program}`;
  return (await programs.run("sh", ["-c", script])).code === 0;
}

function parsePasswd(text: string, name: string): Entry | undefined {
  const line = text.split("\n").find((candidate) => candidate.startsWith(`${name}:`));
  if (line === undefined) return undefined;
  const [, , uid, gid, comment, , shell] = line.split(":");
  const owner = { uid: Number(uid), gid: Number(gid) };
  return { account: { name, owner, isOurs: comment === COMMENT }, shell: shell || USUAL_SHELL };
}
