import { spawnSync } from "node:child_process";
import { foreignFunctions, wideText } from "../../platform/ffi.ts";

/** PROCESS_QUERY_LIMITED_INFORMATION. */
const QUERY = 0x1000;
/** Longest path of Windows, in characters. */
const PATH_MAX = 32_768;
/** Those who may change the machine: High and System are the levels of administrators. */
const ELEVATED = /S-1-16-(12288|16384)/;

/** Whether this process may change the whole machine. */
export function isAdministrator(): boolean {
  const ffi = foreignFunctions();
  if (ffi === undefined) return ELEVATED.test(String(spawnSync("whoami.exe", ["/groups"]).stdout));
  const { symbols } = ffi.dlopen("shell32.dll", { IsUserAnAdmin: { args: [], returns: "i32" } });
  return symbols.IsUserAnAdmin() !== 0;
}

/** The file of the program that a process runs; empty when there is no such process, or it is not told. */
export function programOf(pid: number): string {
  const ffi = foreignFunctions();
  if (ffi === undefined) return "";
  const { symbols } = ffi.dlopen("kernel32.dll", {
    OpenProcess: { args: ["u32", "i32", "u32"], returns: "ptr" },
    QueryFullProcessImageNameW: { args: ["ptr", "u32", "ptr", "ptr"], returns: "i32" },
    CloseHandle: { args: ["ptr"], returns: "i32" },
  });
  const handle = symbols.OpenProcess(QUERY, 0, pid);
  if (!handle) return "";
  try {
    const text = wideText(" ".repeat(PATH_MAX));
    const length = new Uint32Array([PATH_MAX]);
    const isTold = symbols.QueryFullProcessImageNameW(handle, 0, ffi.ptr(text), ffi.ptr(length));
    return isTold === 0 ? "" : text.toString("utf16le", 0, (length[0] ?? 0) * 2);
  } finally {
    symbols.CloseHandle(handle);
  }
}
