import { accessSync, constants, realpathSync } from "node:fs";
import { basename } from "node:path";
import type { Programs } from "../programs.ts";
import type { ShellAccount, Shells, ShellWish } from "../shells.ts";
import { marksFor } from "./marks.ts";

const ROOT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const USER_PATH = "/usr/local/bin:/usr/bin:/bin";
/** What accounts have that nobody is to log in to. */
const NO_SHELLS = new Set(["nologin", "false", "true", "sync", "halt", "shutdown"]);
const USUAL_SHELLS = ["/bin/bash", "/bin/sh"];
/** The shells that read the files of a login when they are told `-l`. */
const LOGIN_SHELLS = new Set(
  "sh bash rbash dash ash zsh ksh mksh fish csh tcsh nu pwsh xonsh".split(" "),
);
/**
 * The agent may keep its files for itself, and may not see a home; a shell is its account's own.
 * Whoever asked for a folder reads why the shell does not begin there.
 */
const PLACE = `umask 022
unset SHLVL _
want=$1 home=$2
shift 2
if [ -n "$want" ]; then
  cd -- "$want" 2>/dev/null || {
    printf '%s\\r\\n' "$want cannot be entered"
    cd -- "$home" 2>/dev/null || cd /
  }
else
  cd -- "$home" 2>/dev/null || cd /
fi
`;
const BEGIN = 'exec "$@"';

/** Starts a script of `/bin/sh` as another account: the words of the whole command. */
export type SwitchAccount = (
  account: ShellAccount,
  script: string,
  words: readonly string[],
) => readonly [string, ...string[]];

/** What differs between systems of this family. */
export interface PosixShellsDeps {
  /** The line of `passwd` of a name or, without one, of the own account; undefined: there is none. */
  readonly line: (name: string | undefined) => Promise<string | undefined>;
  /** Where its fields are, after name, password, uid and gid. */
  readonly fields: { readonly home: number; readonly shell: number };
  readonly switched: SwitchAccount;
  readonly flags: Shells["flags"];
  readonly stopping?: Shells["stopping"];
  readonly terminals?: Shells["terminals"];
  readonly processes: Shells["processes"];
}

/** Shells of systems with accounts in numbers, `/bin/sh` and sessions. */
export function posixShells(deps: PosixShellsDeps): Shells {
  const ownUid = () => process.getuid?.();
  return {
    mayBeOthers: () => ownUid() === 0,
    find: async (name) => {
      const found = parsed(await deps.line(name), deps.fields);
      // A number that stands in the place of a name finds whoever has it by now. A directory may write a name
      // otherwise than it was asked for.
      const isNumber = name !== undefined && /^\d+$/.test(name);
      return isNumber && found?.name !== name ? undefined : found;
    },
    program: (account, wish) => {
      const shell = shellOf(account, wish);
      const words = [wish.cwd ?? "", account.home, shell, ...loginWord(shell)];
      const isOther = account.ids?.uid !== ownUid();
      const marks = wish.nonce === undefined ? undefined : marksFor(shell, wish.nonce);
      const script = `${PLACE}${marks?.begin ?? ""}${BEGIN}`;
      const [file, ...args] = isOther
        ? deps.switched(account, script, words)
        : (["/bin/sh", "-c", script, "sh", ...words] as const);
      const uid = isOther ? account.ids?.uid : undefined;
      const env = { ...environmentOf(account, shell, wish), ...marks?.env };
      return { shell, file, args, cwd: "/", env, uid };
    },
    flags: deps.flags,
    stopping: deps.stopping,
    terminals: deps.terminals ?? (() => new Set()),
    processes: deps.processes,
  };
}

/** The line of a name in a text like `/etc/passwd`; `getent` and `id -P` print one. */
export async function lineOf(
  programs: Programs,
  [program, ...args]: readonly [string, ...string[]],
): Promise<string | undefined> {
  const { code, stdout } = await programs.run(program, args);
  return code === 0 ? stdout.split("\n")[0] : undefined;
}

/** A program that can be started, by its path without links; undefined: it is not there. */
export function programAt(path: string): string | undefined {
  try {
    accessSync(path, constants.X_OK);
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

/** Whether a program says in the place of a shell that nobody logs in. */
export const isNoShell = (path: string): boolean => NO_SHELLS.has(basename(path));

function parsed(
  line: string | undefined,
  fields: PosixShellsDeps["fields"],
): ShellAccount | undefined {
  const parts = line?.split(":") ?? [];
  const [name = "", , uid, gid] = parts;
  const ids = { uid: Number(uid), gid: Number(gid) };
  if (name === "" || !Number.isInteger(ids.uid) || !Number.isInteger(ids.gid)) return undefined;
  return { name, ids, home: parts[fields.home] ?? "", shell: parts[fields.shell] ?? "" };
}

function shellOf(account: ShellAccount, wish: ShellWish): string {
  // Whoever lists an account that nobody logs in to wants a shell of it all the same.
  const isUsable = account.shell !== "" && !isNoShell(account.shell);
  const wanted = wish.shell || (isUsable ? account.shell : "");
  const found = (wanted === "" ? USUAL_SHELLS : [wanted]).find((path) => programAt(path));
  if (found === undefined) throw new Error(`the shell ${wanted || "/bin/sh"} cannot be started`);
  return found;
}

function loginWord(shell: string): readonly string[] {
  return LOGIN_SHELLS.has(basename(shell)) ? ["-l"] : [];
}

function environmentOf(
  { name, ids, home }: ShellAccount,
  shell: string,
  { env }: ShellWish,
): Readonly<Record<string, string>> {
  return {
    ...env,
    HOME: home || "/",
    USER: name,
    LOGNAME: name,
    SHELL: shell,
    PATH: ids?.uid === 0 ? ROOT_PATH : USER_PATH,
  };
}
