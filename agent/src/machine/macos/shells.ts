import { lineOf, posixShells } from "../posix/shells.ts";
import { SYSTEM_PROGRAMS } from "../programs.ts";
import type { Shells } from "../shells.ts";
import { MACOS_PROCESSES } from "./processes.ts";

/** Shells of macOS: accounts are in its directory, and `sudo` lets root be anybody with their groups. */
export const MACOS_SHELLS: Shells = posixShells({
  line: (name) => lineOf(SYSTEM_PROGRAMS, ["id", "-P", ...(name === undefined ? [] : [name])]),
  fields: { home: 8, shell: 9 },
  switched: ({ name }, script, words) => [
    "/usr/bin/sudo",
    "-n",
    "--preserve-env=HOME,USER,LOGNAME,SHELL,PATH,TERM,COLORTERM,LANG,RPORT_MARKS",
    "-u",
    name,
    "--",
    "/bin/sh",
    "-c",
    script,
    "sh",
    ...words,
  ],
  flags: { ixon: 0x200, isig: 0x80 },
  processes: MACOS_PROCESSES,
});
