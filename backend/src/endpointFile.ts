import { readFileSync, rmSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { type EndpointFile, endpointFileSchema } from "@rport/protocol/endpointFile";
import { VERSION } from "@rport/protocol/version";
import { ioFailure } from "./store/files/dataDirectory.ts";
import { writeDurably } from "./store/files/durableFile.ts";

/** What a running backend tells editors of the same person, and scripts beside it. */
export interface Endpoint extends EndpointFile {
  /** The server key in RPort's MD5 form. */
  readonly md5Fingerprint: string;
}

/**
 * Writes the endpoint file, which only its owner can read; resolves when it is on disk. Fails with
 * a `StartFailure` that names the file.
 */
export async function writeEndpoint(path: string, endpoint: Endpoint): Promise<void> {
  const text = `${JSON.stringify({ ...endpoint, version: VERSION }, null, 2)}\n`;
  await writeDurably(path, text).catch((caught: unknown) => {
    throw ioFailure(path, caught);
  });
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
