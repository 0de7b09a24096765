import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Backend, type BackendOptions, createBackend } from "../../../backend/src/backend.ts";
import type { AgentSources } from "../../../backend/src/downloads/agentSources.ts";
import { systemClock } from "../../../backend/src/platform/clock.ts";
import { createLog } from "../../../backend/src/platform/log.ts";
import { builtIn, type FakeRelease, fakeRelease } from "../agents/agentRelease.ts";
import { eventually } from "../eventually.ts";
import { memorySink } from "../log.ts";
import { TestApi } from "./api.ts";
import { EventStream } from "./eventStream.ts";

/** A real backend in this process, on a port of 127.0.0.1, with everything a test needs of it. */
export interface RunningBackend extends AsyncDisposable {
  readonly backend: Backend;
  readonly url: string;
  readonly port: number;
  readonly token: string;
  readonly dataDir: string;
  /** `SHA256:` form. */
  readonly fingerprint: string;
  readonly md5Fingerprint: string;
  /** Calls an endpoint with the token; throws the answer's `RportError`. */
  readonly api: TestApi["call"];
  readonly raw: TestApi["raw"];
  readonly page: TestApi["page"];
  /** Opens the event socket, with the backend's own token unless another is given. */
  events(token?: string): EventStream;
  /** Lines of the log so far, debug and above. */
  readonly logLines: readonly string[];
  /** The first line of the log for which `fits` holds, as soon as there is one. */
  logged(fits: (line: string) => boolean): Promise<string>;
  /** What stands in the manifest of the agent's files it serves; made up. */
  readonly release: FakeRelease;
}

/** What a test may set; everything else is as in production, without any file of the checkout. */
export interface StartOptions extends Partial<Omit<BackendOptions, "agentFiles">> {
  /** A folder that a build made, or as production has it. */
  readonly agentFiles?: string | AgentSources;
}

/**
 * Starts a backend in a data directory of its own, which goes with it. A given `dataDir` stays, so
 * that a test can start again where it stopped.
 */
export async function startBackend(options: StartOptions = {}): Promise<RunningBackend> {
  await using opened = new AsyncDisposableStack();
  const scratch = await mkdtemp(join(tmpdir(), "rport-backend-"));
  opened.defer(() => rm(scratch, { recursive: true, force: true }));
  const release = await fakeRelease(join(scratch, "agent"));
  const { sink, lines } = memorySink();
  const { agentFiles = release.directory, ...others } = options;
  const dataDir = options.dataDir ?? join(scratch, "data");
  const backend = await createBackend({
    dataDir,
    serverUrls: [],
    tunnels: { bind: "127.0.0.1", ports: [{ from: 20_000, to: 30_000 }] },
    pairing: { ttlS: 600 },
    passwordMinLength: 12,
    agentFiles: typeof agentFiles === "string" ? builtIn(agentFiles) : agentFiles,
    clock: systemClock,
    log: createLog({ clock: systemClock, level: "debug", sink }),
    places: [{ host: "127.0.0.1", port: 0, faces: new Set(["agents", "users", "pairing"]) }],
    ...others,
  });
  opened.use(backend);
  const { url, port, token, fingerprints } = backend;
  const api = new TestApi(url, token);
  const closing = opened.move();
  return {
    backend,
    url,
    port,
    token,
    dataDir,
    release,
    logLines: lines,
    fingerprint: fingerprints.sha256,
    md5Fingerprint: fingerprints.md5,
    api: (name, call) => api.call(name, call),
    raw: (method, path, parts) => api.raw(method, path, parts),
    page: (path, body) => api.page(path, body),
    events: (other = token) => new EventStream(url, other),
    logged: (fits) =>
      eventually(() => {
        const line = lines.find(fits);
        if (line === undefined) throw new Error("there is no such line in the log");
        return line;
      }),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}
