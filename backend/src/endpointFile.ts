import { readFileSync, rmSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { type EndpointFile, endpointFileSchema } from "@rport/protocol/endpointFile";
import { VERSION } from "@rport/protocol/version";
import type { Clock, Timer } from "./platform/clock.ts";
import type { Log } from "./platform/log.ts";
import { ioFailure } from "./store/files/dataDirectory.ts";
import { codeOf, writeDurably } from "./store/files/durableFile.ts";

/** What a running backend tells editors of the same person, and scripts beside it. */
export interface Endpoint extends EndpointFile {
  /** The server key in RPort's MD5 form. */
  readonly md5Fingerprint: string;
}

/** What an offer of the endpoint needs. */
export interface EndpointDeps {
  readonly path: string;
  readonly clock: Pick<Clock, "after">;
  readonly log: Pick<Log, "info" | "error">;
}

/** A full disk is asked again then. */
const RETRY_MS = 5_000;
const FULL: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT"]);

/**
 * Writes the endpoint file, which only its owner can read; resolves when it is on disk. A full disk
 * keeps nobody from being served who needs no such file: it is told, and tried again until there is
 * room, or the answer is called. Fails with a `StartFailure` that names the file.
 */
export async function offerEndpoint(endpoint: Endpoint, deps: EndpointDeps): Promise<() => void> {
  const { path, clock, log } = deps;
  const text = `${JSON.stringify({ ...endpoint, version: VERSION }, null, 2)}\n`;
  let retry: Timer | undefined;
  const again = async (): Promise<void> => {
    if (await isWritten(path, text).catch(() => false)) log.info("the endpoint file is there now");
    else retry = clock.after(RETRY_MS, () => void again());
  };
  if (!(await isWritten(path, text))) {
    log.error("the disk is full: editors cannot find this server yet", { path });
    retry = clock.after(RETRY_MS, () => void again());
  }
  return () => retry?.cancel();
}

/** False: the disk is full. */
async function isWritten(path: string, text: string): Promise<boolean> {
  try {
    await writeDurably(path, text);
    return true;
  } catch (caught) {
    if (FULL.has(codeOf(caught))) return false;
    throw ioFailure(path, caught);
  }
}

/** Removes the endpoint file unless another backend has replaced it meanwhile. */
export async function removeEndpoint(path: string, token: string): Promise<void> {
  if ((await tokenIn(path)) === token) await rm(path, { force: true });
}

/**
 * Removes what a backend left that ended without cleaning up. Whoever calls this owns the data
 * directory, so no other backend can be running in it.
 */
export async function removeStaleEndpoint(path: string): Promise<void> {
  await rm(path, { force: true }).catch((caught: unknown) => {
    throw ioFailure(path, caught);
  });
}

/** As `removeEndpoint`, for a process that ends now, in whatever way. Never throws. */
export function removeEndpointNow(path: string, token: string): void {
  try {
    const { token: written } = endpointFileSchema.parse(JSON.parse(readFileSync(path, "utf8")));
    if (written === token) rmSync(path, { force: true });
  } catch {
    // there is none, or nothing can be done about it
  }
}

async function tokenIn(path: string): Promise<string | undefined> {
  try {
    return endpointFileSchema.parse(JSON.parse(await readFile(path, "utf8"))).token;
  } catch {
    return undefined;
  }
}
