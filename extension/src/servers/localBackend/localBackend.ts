import { dirname, join } from "node:path";
import type { EndpointFile } from "@rport/protocol/endpointFile";
import { RportError } from "@rport/protocol/errors";
import { isRunning } from "@rport/protocol/local/runningBackends";
import { t } from "@vscode/l10n";
import type { Clock } from "../../support/clock.ts";
import type { Environment } from "../../support/environment.ts";
import { enterLocal } from "../access.ts";
import { endpointFilePath, findLocalBackend } from "../local.ts";
import { readBundle } from "./bundle.ts";
import { type Launch, LOG_FILE, launch } from "./launch.ts";
import { type ListeningMemory, listeningArgs } from "./listening.ts";
import { findNode, nodeCandidates } from "./nodes.ts";

/** Between two looks for what another process does. */
const LOOK_MS = 100;
/** Another window that starts the backend has so long. */
const OTHER_START_MS = 60_000;
/** A backend that was told to stop has done it in two seconds. */
const STOP_MS = 10_000;

/** What the local backend needs. */
export interface LocalBackendDeps {
  readonly environment: Environment;
  /** The folder of the extension, which has the bundle in it. */
  readonly extensionPath: string;
  readonly listening: ListeningMemory;
  readonly clock: Clock;
}

/** What came of a start. */
export type Start =
  /** It runs: `isNew` unless it did before, or another window has started it. */
  { readonly kind: "running"; readonly isNew: boolean } | Extract<Launch, { kind: "failed" }>;

/** The backend of this person that the extension brings along: found, started and stopped. */
export class LocalBackend {
  readonly #deps: LocalBackendDeps;

  constructor(deps: LocalBackendDeps) {
    this.#deps = deps;
  }

  /** Where the one that the editor starts keeps everything: where it is looked for. */
  get dataDir(): string {
    return dirname(endpointFilePath(this.#deps.environment));
  }

  /** The log of one that the editor has started. */
  logFile(dataDir: string | undefined): string {
    return join(dataDir ?? this.dataDir, LOG_FILE);
  }

  /** The endpoint of a backend that runs and has proven to be it; `dataDir` is not the usual one. */
  async running(dataDir?: string): Promise<EndpointFile | undefined> {
    const read = await findLocalBackend(this.#deps.environment, dataDir);
    if (read.kind === "absent") return undefined;
    const access = await enterLocal(read.endpoint);
    if (access.kind !== "ready") return undefined;
    access.connection?.close();
    return read.endpoint;
  }

  /**
   * Has it running. Of several that start at once, one process wins, and all succeed. Throws `UNAVAILABLE`
   * where there is no Node that is new enough, and what the system said where nothing can be started.
   */
  async start(): Promise<Start> {
    if ((await this.running()) !== undefined) return { kind: "running", isNew: false };
    const { environment, extensionPath, listening, clock } = this.#deps;
    const bundle = await readBundle(extensionPath);
    const node = await this.#node(bundle.oldestNode);
    const args = listeningArgs(listening.chosen);
    const launched = await launch({ bundle, node, dataDir: this.dataDir, args, clock });
    if (launched.kind === "failed") return launched;
    if (launched.kind === "listening") return { kind: "running", isNew: true };
    const isThere = await this.#becomes(OTHER_START_MS, async () => {
      return (await this.running()) !== undefined;
    });
    if (isThere) return { kind: "running", isNew: false };
    throw new RportError(
      "UNAVAILABLE",
      t("Another backend has the data folder, and does not answer."),
      {
        detail: endpointFilePath(environment),
      },
    );
  }

  /** Ends a running backend, and resolves when it has ended. Throws `UNAVAILABLE` when it does not. */
  async stop({ pid }: Pick<EndpointFile, "pid">): Promise<void> {
    if (isRunning(pid)) process.kill(pid, "SIGTERM");
    if (await this.#becomes(STOP_MS, async () => !isRunning(pid))) return;
    throw new RportError("UNAVAILABLE", t("The backend (process {0}) does not end.", pid));
  }

  async #node(oldest: number): Promise<string> {
    const candidates = nodeCandidates(this.#deps.environment, process.execPath);
    const search = await findNode(candidates, oldest);
    if (search.kind === "found") return search.path;
    const there = [...new Set(search.versions)].join(", ") || t("none");
    throw new RportError("UNAVAILABLE", t("The local backend needs Node {0} or newer.", oldest), {
      detail: t(
        "This editor and your PATH have: {0}. Update the editor, or install Node {1} and start the editor again.",
        there,
        oldest,
      ),
    });
  }

  /** Whether something is so within this time. */
  async #becomes(ms: number, isSo: () => Promise<boolean>): Promise<boolean> {
    const { clock } = this.#deps;
    const endMs = clock.monotonic() + ms;
    while (!(await isSo())) {
      if (clock.monotonic() > endMs) return false;
      await new Promise<void>((resolve) => clock.after(LOOK_MS, resolve));
    }
    return true;
  }
}
