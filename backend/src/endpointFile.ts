import { rmSync } from "node:fs";
import { rm } from "node:fs/promises";
import {
  ENDPOINT_FILE_MAX_BYTES,
  type EndpointFile,
  endpointFileSchema,
} from "@rport/protocol/endpointFile";
import { readNamedSync, readSmallFile } from "@rport/protocol/local/smallFile";
import { VERSION } from "@rport/protocol/version";
import { guarded } from "@rport/protocol/wire/contain";
import type { Clock, Timer } from "./platform/clock.ts";
import { loggedFault } from "./platform/faults.ts";
import type { Log } from "./platform/log.ts";
import { ioFailure } from "./store/files/dataDirectory.ts";
import { codeOf, type RequireHeld, writeDurably } from "./store/files/durableFile.ts";
import type { Certificates } from "./tls/certificates.ts";

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
  /** Awaited before it is written. */
  readonly requireHeld?: RequireHeld | undefined;
}

/** A full disk is asked again then. */
const RETRY_MS = 5_000;
const FULL: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT"]);

/**
 * Writes the endpoint file, and again with each new certificate. Fails with a `StartFailure` that names
 * the file; a full disk is none, as `EndpointOffer.write` says.
 */
export async function offerEndpoint(
  told: () => Endpoint,
  { certificate, ...deps }: OfferDeps,
): Promise<EndpointOffer> {
  const offer = new EndpointOffer(deps);
  await offer.write(told());
  const onFault = loggedFault(deps.log, "the endpoint file");
  certificate?.follow(guarded(onFault, () => offer.write(told())));
  return offer;
}

interface OfferDeps extends EndpointDeps {
  readonly log: Log;
  /** Tells of new ones. */
  readonly certificate: Pick<Certificates, "follow"> | undefined;
}

/** The endpoint file of a running backend. */
export class EndpointOffer {
  readonly #deps: EndpointDeps;
  #text = "";
  #retry: Timer | undefined;
  #isOver = false;

  constructor(deps: EndpointDeps) {
    this.#deps = deps;
  }

  /**
   * Writes the file, which only its owner can read; resolves when it is on disk. A full disk keeps nobody
   * from being served who needs no such file: it is told, and tried again until there is room, or
   * `close` is called. Fails with a `StartFailure` that names the file.
   */
  async write(endpoint: Endpoint): Promise<void> {
    const { path, clock, log, requireHeld } = this.#deps;
    this.#retry?.cancel();
    this.#text = `${JSON.stringify({ ...endpoint, version: VERSION }, null, 2)}\n`;
    if (this.#isOver || (await isWritten(path, this.#text, requireHeld))) return;
    log.error("the disk is full: editors cannot find this server yet", { path });
    this.#retry = clock.after(RETRY_MS, () => void this.#again());
  }

  /** Tries no more. */
  close(): void {
    this.#isOver = true;
    this.#retry?.cancel();
  }

  async #again(): Promise<void> {
    const { path, clock, log, requireHeld } = this.#deps;
    if (await isWritten(path, this.#text, requireHeld).catch(() => false)) {
      log.info("the endpoint file is there now");
      return;
    }
    if (!this.#isOver) this.#retry = clock.after(RETRY_MS, () => void this.#again());
  }
}

/** False: the disk is full. */
async function isWritten(
  path: string,
  text: string,
  requireHeld: RequireHeld | undefined,
): Promise<boolean> {
  try {
    await writeDurably(path, text, { requireHeld });
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
    const text = readNamedSync(path, ENDPOINT_FILE_MAX_BYTES)?.toString("utf8") ?? "";
    if (endpointFileSchema.parse(JSON.parse(text)).token === token) rmSync(path, { force: true });
  } catch {
    // there is none, or nothing can be done about it
  }
}

async function tokenIn(path: string): Promise<string | undefined> {
  try {
    const text = await readSmallFile(path, ENDPOINT_FILE_MAX_BYTES);
    return endpointFileSchema.parse(JSON.parse(text)).token;
  } catch {
    return undefined;
  }
}
