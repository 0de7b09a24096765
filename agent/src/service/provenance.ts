import { createReadStream } from "node:fs";
import { lstat, readdir, stat } from "node:fs/promises";
import { dirname, relative } from "node:path";
import { readSmallFile } from "@rport/protocol/local/smallFile";
import type { Layout } from "../machine/layout.ts";
import type { Place } from "../machine/place.ts";
import type { Wrapper } from "../machine/platform.ts";
import { hashOfFile, hashOfText, PROGRAM_MAX_BYTES } from "./fileHash.ts";
import { configuredServers } from "./installation.ts";
import { type Receipt, readReceipt } from "./receipt.ts";

/** What every build of the agent has in it: the first line of what `--help` prints. */
const AGENT_TEXT = Buffer.from("rport-agent: connects this host to its RPort server.");
/** Anything longer is not the small script. */
const WRAPPER_MAX_BYTES = 16 << 10;

/** What stands in the place of an installation. */
export type Provenance =
  /** Nothing says that an agent was installed here. */
  | { readonly kind: "none" }
  /** Something that no release of ours wrote stands where its receipt would. */
  | { readonly kind: "foreign" }
  /** An installation of ours; system-wide there is no receipt. */
  | { readonly kind: "ours"; readonly receipt: Receipt | undefined };

/** By their names below the prefix: the SHA-256 of what an installation places there. */
export async function placedHashes(
  { layout, self }: Place,
  wrapper: Wrapper,
): Promise<Readonly<Record<string, string>>> {
  if (self.kind === "executable")
    return { [nameOf(layout, layout.program)]: await hashOfFile(self.file) };
  return {
    [nameOf(layout, layout.bundle)]: await hashOfFile(self.file),
    [nameOf(layout, layout.program)]: hashOfText(wrapper.render(layout, self.node)),
  };
}

/**
 * Whether the directory of a prefix is an installation of ours. A receipt of release 0.1 has no
 * mark: it is believed when a file of ours lies beside it, or when nothing else does.
 */
export async function provenanceOf(layout: Layout, wrapper: Wrapper): Promise<Provenance> {
  if (layout.receipt === undefined) return { kind: "ours", receipt: undefined };
  const found = await readReceipt(layout.receipt);
  if (found.kind !== "ours") return found;
  const { receipt } = found;
  const isBelieved = receipt.files !== undefined || (await isBackedUp(layout, wrapper));
  return isBelieved ? { kind: "ours", receipt } : { kind: "foreign" };
}

/**
 * Whether a program file is what an installation placed there and nobody has changed since: by
 * its hash where there is one, else by what every build of the agent has in it.
 */
export async function isPlaced(
  { layout, wrapper }: { readonly layout: Layout; readonly wrapper: Wrapper },
  path: string,
  receipt: Receipt | undefined,
): Promise<boolean> {
  if (!(await isPlainFile(layout, path))) return false;
  if (receipt?.files === undefined) return isAgentProgram(path, layout, wrapper);
  const hashes = receipt.files[nameOf(layout, path)] ?? [];
  return hashes.includes(await hashOfFile(path));
}

/**
 * Whether `rport.conf` is the installation's. It has no hash, because every rotation changes it
 * and people add rules of their own: the place is ours, and who installed owns it.
 */
export async function isPlacedConfig(layout: Layout, receipt: Receipt | undefined) {
  const stats = await lstat(layout.config).catch(() => undefined);
  if (stats?.isFile() !== true) return false;
  return receipt === undefined || stats.uid === receipt.uid;
}

function nameOf(layout: Layout, path: string): string {
  return relative(layout.receipt === undefined ? "/" : dirname(layout.receipt), path);
}

async function isBackedUp(layout: Layout, wrapper: Wrapper): Promise<boolean> {
  const { program, bundle, config, receipt = "" } = layout;
  for (const path of [program, bundle]) {
    if (await isPlaced({ layout, wrapper }, path, undefined)) return true;
  }
  if ((await configuredServers(config)).length > 0) return true;
  return (await readdir(dirname(receipt))).length === 1;
}

/** In a prefix, whose folders are not root's, a link could stand for any place of the machine. */
async function isPlainFile({ kind }: Layout, path: string): Promise<boolean> {
  const folder = await (kind === "prefix" ? lstat : stat)(dirname(path)).catch(() => undefined);
  const file = await lstat(path).catch(() => undefined);
  return folder?.isDirectory() === true && file?.isFile() === true;
}

/** A build of the agent, or the small script that lets Node run it. */
async function isAgentProgram(path: string, layout: Layout, wrapper: Wrapper): Promise<boolean> {
  const { size } = await lstat(path);
  if (size > WRAPPER_MAX_BYTES) return hasText(path, AGENT_TEXT);
  const text = await readSmallFile(path, WRAPPER_MAX_BYTES, { followsNoLink: true });
  const node = wrapper.nodeIn(text);
  if (node !== undefined) return text === wrapper.render(layout, node);
  return text.includes(AGENT_TEXT.toString());
}

async function hasText(path: string, wanted: Buffer): Promise<boolean> {
  let before: Buffer = Buffer.of();
  const reading = { highWaterMark: 1 << 20, end: PROGRAM_MAX_BYTES - 1 };
  for await (const chunk of createReadStream(path, reading)) {
    const piece = Buffer.concat([before, chunk as Buffer]);
    if (piece.includes(wanted)) return true;
    before = piece.subarray(1 - wanted.length);
  }
  return false;
}
