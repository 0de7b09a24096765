import { afterAll, beforeAll } from "vitest";
import { type RunningBackend, startBackend } from "../backend/backend.ts";
import type { RunResult } from "../systemd/process.ts";
import { ensureRootfs, type InitName } from "../systemd/rootfs.ts";
import type { System } from "../systemd/system.ts";
import { curlLine, newPairing, withFlags } from "./pairing.ts";
import { type RealRelease, realRelease } from "./realRelease.ts";

/** The first build of a machine's root file system, and of a release. */
const FIRST_BUILD_MS = 400_000;
/** From the paste to the end of the installer, on a busy machine. */
export const INSTALL_MS = 90_000;

/** A server that hands out the agent as its sources are now. */
export interface InstallerServer extends AsyncDisposable {
  readonly release: RealRelease;
  readonly backend: RunningBackend;
  /** A fresh line to paste, with these flags of the installer. */
  line(flags?: string): Promise<string>;
  /** Pastes one as root. */
  paste(system: System, flags?: string): Promise<RunResult>;
}

/** Starts one, and makes ready what machines with these inits are booted from. */
export async function startInstallerServer(inits: readonly InitName[]): Promise<InstallerServer> {
  await using opened = new AsyncDisposableStack();
  for (const init of inits) await ensureRootfs(init);
  const release = opened.use(await realRelease());
  const backend = opened.use(await startBackend({ agentFiles: release.directory }));
  const line = async (flags = "") => withFlags(curlLine(await newPairing(backend)), flags);
  const closing = opened.move();
  return {
    release,
    backend,
    line,
    paste: async (system, flags) =>
      system.exec("sh", ["-c", await line(flags)], { timeoutMs: INSTALL_MS }),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

/** The same for all tests of a block: there from before the first until after the last. */
export function withInstallerServer(...inits: readonly InitName[]): () => InstallerServer {
  let server: InstallerServer | undefined;
  const started = async () => {
    server = await startInstallerServer(inits);
  };
  beforeAll(started, FIRST_BUILD_MS * Math.max(1, inits.length));
  afterAll(() => server?.[Symbol.asyncDispose]());
  return () => {
    if (server === undefined) throw new Error("the server is there while tests run");
    return server;
  };
}
