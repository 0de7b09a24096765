import { win32 } from "node:path";

/**
 * The path of a program that Windows comes with; others have theirs. By its name alone Windows would look
 * into the current directory first, which may be one for downloads.
 */
export function systemProgram(name: string, { SystemRoot = "C:\\Windows" } = process.env): string {
  return win32.basename(name) === name ? win32.join(SystemRoot, "System32", name) : name;
}

/** What programs of Windows need to start, and nothing else of the caller's session. */
export function windowsEnvironment(own: NodeJS.ProcessEnv = process.env): Record<string, string> {
  const { SystemRoot: root = "C:\\Windows", ProgramData = "C:\\ProgramData" } = own;
  const { TEMP = win32.join(root, "Temp") } = own;
  return {
    SystemRoot: root,
    PATH: `${win32.join(root, "System32")};${root}`,
    ProgramData,
    TEMP,
    TMP: TEMP,
    DO_NOT_TRACK: "1",
    BUN_ENABLE_CRASH_REPORTING: "0",
  };
}
