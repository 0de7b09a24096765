import { open, readdir, readFile, readlink } from "node:fs/promises";
import { endianness } from "node:os";
import { basename, join } from "node:path";
import { type ListenerReader, plainAddress } from "../listeners.ts";

/** The kernel tells listeners first, 150 bytes each; connections behind them do not matter. */
const TABLE_MAX_BYTES = 1 << 20;
/** Names are a help, not worth more: a host may have very many processes. */
const NAMES_MS = 2_000;
const PROCESSES_MAX = 20_000;
const FILES_MAX = 4_096;
/** The state of a socket that listens. */
const LISTEN = "0A";
/** What Node and others call their first thread, which says nothing. */
const GENERIC = /^(node-)?MainThread$/;

/** A listening socket, as the kernel tells of it. */
export interface ListeningSocket {
  readonly address: string;
  readonly port: number;
  readonly inode: string;
}

/** What Linux tells of listeners; `root` is for tests. Names only of processes that the agent may see. */
export function linuxListeners(root = "/proc"): ListenerReader {
  return async (signal) => {
    const tables = await Promise.all(
      ["net/tcp", "net/tcp6"].map((name) => readTable(join(root, name), signal)),
    );
    if (tables.every((text) => text === undefined)) throw new Error(`${root}/net cannot be read`);
    const sockets = tables.flatMap((text) => listeningSockets(text ?? "", endianness()));
    const names = await namesOf(new Set(sockets.map(({ inode }) => inode)), root, signal);
    return sockets.map(({ address, port, inode }) => ({
      address,
      port,
      process: names.get(inode) ?? "",
    }));
  };
}

/** The listeners in the text of `/proc/net/tcp` or `tcp6`, on a machine of that order of bytes. */
export function listeningSockets(text: string, order: "LE" | "BE"): readonly ListeningSocket[] {
  return text.split("\n").flatMap((line): readonly ListeningSocket[] => {
    const [, local = "", , state, , , , , , inode = ""] = line.trim().split(/\s+/);
    const [, hex = "", portHex = ""] =
      /^([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})$/.exec(local) ?? [];
    const address = plainAddress(addressOf(hex, order));
    const port = Number.parseInt(portHex, 16);
    if (state !== LISTEN || address === undefined || !(port > 0)) return [];
    return [{ address, port, inode }];
  });
}

/** Words of 32 bits, each in the machine's own order. */
function addressOf(hex: string, order: "LE" | "BE"): string {
  const bytes = Buffer.from(hex, "hex");
  if (order === "LE") bytes.swap32();
  if (bytes.length === 4) return bytes.join(".");
  return (bytes.toString("hex").match(/.{4}/g) ?? []).join(":");
}

async function readTable(path: string, signal: AbortSignal): Promise<string | undefined> {
  signal.throwIfAborted();
  try {
    await using file = await open(path);
    const { buffer, bytesRead } = await readAll(file, Buffer.alloc(TABLE_MAX_BYTES));
    return buffer.toString("latin1", 0, bytesRead);
  } catch {
    return undefined;
  }
}

/** The kernel gives such a file piece by piece. */
async function readAll(file: Awaited<ReturnType<typeof open>>, buffer: Buffer) {
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return { buffer, bytesRead: length };
}

/** Whose the sockets are, as far as that is found in time. */
async function namesOf(
  inodes: ReadonlySet<string>,
  root: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const names = new Map<string, string>();
  const late = AbortSignal.any([signal, AbortSignal.timeout(NAMES_MS)]);
  const entries = await readdir(root).catch(() => []);
  for (const pid of entries.filter((name) => /^\d+$/.test(name)).slice(0, PROCESSES_MAX)) {
    if (late.aborted || names.size === inodes.size) break;
    const found = (await socketsOf(join(root, pid))).filter((inode) => inodes.has(inode));
    if (found.length === 0) continue;
    const name = await nameOf(join(root, pid));
    for (const inode of found) if (!names.has(inode)) names.set(inode, name);
  }
  signal.throwIfAborted();
  return names;
}

async function socketsOf(directory: string): Promise<readonly string[]> {
  const files = await readdir(join(directory, "fd")).catch(() => []);
  const links = await Promise.all(
    files.slice(0, FILES_MAX).map((file) => readlink(join(directory, "fd", file)).catch(() => "")),
  );
  return links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []);
}

async function nameOf(directory: string): Promise<string> {
  const name = (await readFile(join(directory, "comm"), "utf8").catch(() => "")).trim();
  if (name !== "" && !GENERIC.test(name)) return name;
  const program = await readlink(join(directory, "exe")).catch(() => "");
  return basename(program.replace(/ \(deleted\)$/, "")) || name;
}
