import { readdir, readFile, readlink } from "node:fs/promises";

/** The state of a socket that listens, in the kernel's table. */
const LISTENING = "0A";

/** Which of these processes listens on a port of 127.0.0.1, by the kernel's own table; Linux only. */
export async function listenerOf(
  port: number,
  pids: readonly number[],
): Promise<number | undefined> {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  const rows = (await readFile("/proc/net/tcp", "utf8"))
    .split("\n")
    .map((row) => row.trim().split(/\s+/));
  const row = rows.find(([, local, , state]) => local === `0100007F:${hex}` && state === LISTENING);
  const inode = row?.[9];
  if (inode === undefined) return undefined;
  for (const pid of pids) {
    const folder = `/proc/${pid}/fd`;
    const names = await readdir(folder).catch(() => []);
    const targets = names.map((name) => readlink(`${folder}/${name}`).catch(() => ""));
    if ((await Promise.all(targets)).includes(`socket:[${inode}]`)) return pid;
  }
  return undefined;
}
