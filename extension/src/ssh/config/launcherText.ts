import { batchText, shellWord } from "./quoting.ts";

/** What the launcher of the bridge starts, all full paths. */
export interface LauncherFacts {
  /** What runs programs for Node: the editor itself, or its server's Node. */
  readonly runtime: string;
  /** The bridge. */
  readonly program: string;
  /** The folder that all windows of the editor share. */
  readonly storage: string;
  /** Where the editor keeps what is temporary: its windows may meet there. */
  readonly temporary: string;
}

const MISSING =
  "RPort is not where it was: open VS Code, where it writes this anew, or remove it from ssh.";

/** A script for `/bin/sh` that starts the bridge with its own arguments. Throws `BAD_REQUEST` for a path of several lines. */
export function shellLauncher({ runtime, program, storage, temporary }: LauncherFacts): string {
  return [
    "#!/bin/sh",
    `runtime=${shellWord(runtime)}`,
    `program=${shellWord(program)}`,
    'if [ ! -x "$runtime" ] || [ ! -f "$program" ]; then',
    `  echo "rport: ${MISSING}" >&2`,
    "  exit 255",
    "fi",
    `RPORT_STORAGE=${shellWord(storage)}`,
    `TMPDIR=${shellWord(temporary)}`,
    'RPORT_COMMAND="sh $0"',
    "ELECTRON_RUN_AS_NODE=1",
    "export RPORT_STORAGE TMPDIR RPORT_COMMAND ELECTRON_RUN_AS_NODE",
    // a debugger of the editor's terminal would stop it
    "unset NODE_OPTIONS VSCODE_INSPECTOR_OPTIONS",
    'exec "$runtime" "$program" "$@"',
    "",
  ].join("\n");
}

/** By its full path: Windows looks for names in the folder of whoever calls first, which may be anybody's. */
const CHCP = "%SystemRoot%\\System32\\chcp.com";

/**
 * The same for Windows. The console, which `ssh` and what somebody types next have, too, is UTF-8 for as long as it
 * takes to read the paths, and then what it was.
 */
export function batchLauncher({ runtime, program, storage }: LauncherFacts): string {
  return [
    "@echo off",
    "setlocal DisableDelayedExpansion",
    'set "RPORT_PAGE="',
    // in every language it is the number behind the colon, with a dot after it in some
    `for /f "tokens=2 delims=:." %%p in ('${CHCP}') do set "RPORT_PAGE=%%p"`,
    `${CHCP} 65001 >nul`,
    `set "RPORT_RUNTIME=${batchText(runtime)}"`,
    `set "RPORT_PROGRAM=${batchText(program)}"`,
    `set "RPORT_STORAGE=${batchText(storage)}"`,
    'set "RPORT_COMMAND=%~f0"',
    `if defined RPORT_PAGE ${CHCP} %RPORT_PAGE% >nul`,
    'if not exist "%RPORT_RUNTIME%" goto missing',
    'if not exist "%RPORT_PROGRAM%" goto missing',
    'set "ELECTRON_RUN_AS_NODE=1"',
    'set "NODE_OPTIONS="',
    'set "VSCODE_INSPECTOR_OPTIONS="',
    '"%RPORT_RUNTIME%" "%RPORT_PROGRAM%" %*',
    "exit /b %ERRORLEVEL%",
    ":missing",
    `echo rport: ${MISSING} 1>&2`,
    "exit /b 255",
    "",
  ].join("\r\n");
}
