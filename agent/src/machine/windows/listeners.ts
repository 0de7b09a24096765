import type { ListeningPort } from "@rport/protocol/tunnels/listening";
import { type ListenerReader, plainAddress } from "../listeners.ts";
import { outputOf } from "../programs.ts";

/**
 * A row of `netstat -ano`: the state is in the system's language, but only who listens is connected
 * to port 0 of nobody.
 */
const ROW = /^TCP\s+(?:\[([^\]]+)\]|([0-9.]+)):(\d{1,5})\s+(?:\[::\]|0\.0\.0\.0):0\s+\S+\s+(\d+)$/;
/** A row of `tasklist /fo csv`: the program, then the number of its process. */
const TASK = /^"([^"]+)","(\d+)"/;

/** What `netstat` tells of listeners, and `tasklist` of their programs. */
export const windowsListeners: ListenerReader = async (signal) => {
  const [listeners, tasks] = await Promise.all([
    outputOf("netstat.exe", ["-ano"], signal),
    outputOf("tasklist.exe", ["/fo", "csv", "/nh"], signal).catch(() => ""),
  ]);
  return parseNetstat(listeners, parseTasks(tasks));
};

/** Programs by the numbers of their processes, without `.exe`. */
export function parseTasks(text: string): ReadonlyMap<string, string> {
  const rows = text.split(/\r?\n/).flatMap((line) => {
    const [, name = "", pid = ""] = TASK.exec(line) ?? [];
    return pid === "" ? [] : [[pid, name.replace(/\.exe$/i, "")] as const];
  });
  return new Map(rows);
}

/** The listeners in what `netstat -ano` prints. */
export function parseNetstat(
  text: string,
  programs: ReadonlyMap<string, string>,
): readonly ListeningPort[] {
  return text.split(/\r?\n/).flatMap((line) => {
    const [, v6, v4, port, pid = ""] = ROW.exec(line.trim()) ?? [];
    const address = plainAddress(v6 ?? v4 ?? "");
    if (address === undefined || !(Number(port) > 0)) return [];
    return [{ port: Number(port), address, process: programs.get(pid) ?? "" }];
  });
}
