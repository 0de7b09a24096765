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
    "ELECTRON_RUN_AS_NODE=1",
    "export RPORT_STORAGE TMPDIR ELECTRON_RUN_AS_NODE",
    // a debugger of the editor's terminal would stop it
    "unset NODE_OPTIONS VSCODE_INSPECTOR_OPTIONS",
    'exec "$runtime" "$program" "$@"',
    "",
  ].join("\n");
}

/** The same for Windows. */
export function batchLauncher({ runtime, program, storage }: LauncherFacts): string {
  return [
    "@echo off",
    "setlocal DisableDelayedExpansion",
    // the lines below are UTF-8
    "chcp 65001 >nul",
    `if not exist "${batchText(runtime)}" goto missing`,
    `if not exist "${batchText(program)}" goto missing`,
    `set "RPORT_STORAGE=${batchText(storage)}"`,
    'set "ELECTRON_RUN_AS_NODE=1"',
    'set "NODE_OPTIONS="',
    'set "VSCODE_INSPECTOR_OPTIONS="',
    `"${batchText(runtime)}" "${batchText(program)}" %*`,
    "exit /b %ERRORLEVEL%",
    ":missing",
    `echo rport: ${MISSING} 1>&2`,
    "exit /b 255",
    "",
  ].join("\r\n");
}
