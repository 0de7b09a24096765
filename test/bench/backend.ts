import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type EndpointFile, endpointFileSchema } from "@rport/protocol/endpointFile";
import type { EndpointCall, EndpointName, EndpointOutput } from "@rport/protocol/http";
import backendProcess from "../../scripts/lib/backendProcess.json" with { type: "json" };
import { TestApi } from "../support/backend/api.ts";
import { type ManyRecords, writeRecords } from "../support/backend/manyRecords.ts";
import { tempDirectory } from "../support/tempDirectory.ts";
import type { ProbeHandlers, Usage } from "./probeHandlers.ts";
import { Program } from "./program.ts";

const MAIN = fileURLToPath(new URL("../../backend/src/main.ts", import.meta.url));
const PROBE = new URL("probe.ts", import.meta.url).href;

type Directory = Awaited<ReturnType<typeof tempDirectory>>;

/** What a swarm of agents signs in with. */
export interface Login {
  readonly authId: string;
  readonly secret: string;
}

/** The backend as it is shipped, in a process of its own, with a probe in it. */
export class BenchBackend implements AsyncDisposable {
  readonly #directory: Directory;
  #program: Program<ProbeHandlers>;
  #endpoint: EndpointFile;
  #api: TestApi;

  private constructor(
    directory: Directory,
    program: Program<ProbeHandlers>,
    endpoint: EndpointFile,
  ) {
    this.#directory = directory;
    this.#program = program;
    this.#endpoint = endpoint;
    this.#api = new TestApi(endpoint.url, endpoint.token);
  }

  /** Starts one on a free port, with these records or an empty data directory. */
  static async start(records?: ManyRecords): Promise<BenchBackend> {
    const directory = await tempDirectory();
    try {
      if (records !== undefined) await writeRecords(join(directory.path, "data"), records);
      const started = await launch(join(directory.path, "data"), 0);
      return new BenchBackend(directory, started.program, started.endpoint);
    } catch (error) {
      await directory[Symbol.asyncDispose]();
      throw error;
    }
  }

  get url(): string {
    return this.#endpoint.url;
  }

  get token(): string {
    return this.#endpoint.token;
  }

  get fingerprint(): string {
    return this.#endpoint.fingerprint;
  }

  /** Where agents connect. */
  get agentUrl(): string {
    return this.url.replace("http:", "ws:");
  }

  /** Calls an endpoint of the REST API. */
  api<N extends EndpointName>(name: N, call?: EndpointCall<N>): Promise<EndpointOutput<N>> {
    return this.#api.call(name, call);
  }

  /** Makes a credential with a generated secret that any number of agents may use. */
  async createLogin(id: string): Promise<Login> {
    const body = { id, limits: { joins_per_minute: 100_000 } };
    const { password } = await this.api("createCredential", { body });
    return { authId: id, secret: password };
  }

  /** A server tunnel to a port of this machine, seen from the agent. Answers its own port. */
  async openTunnel(clientId: string, port: number): Promise<number> {
    const query = { remote: `127.0.0.1:${port}`, "skip-idle-timeout": "true" };
    const tunnel = await this.api("createTunnel", { params: { clientId }, query });
    return Number(tunnel.lport);
  }

  usage(): Promise<Usage> {
    return this.#program.ask("usage");
  }

  settledUsage(): Promise<Usage> {
    return this.#program.ask("settledUsage");
  }

  /** The longest stop of its event loop since this was asked last, in milliseconds; 0 at first. */
  stall(): Promise<number> {
    return this.#program.ask("stall");
  }

  /** Ends it as a power cut would and starts it again on the same port and data. */
  async crashAndRestart(): Promise<void> {
    await this.#program.kill();
    const { port } = new URL(this.url);
    const started = await launch(join(this.#directory.path, "data"), Number(port));
    this.#program = started.program;
    this.#endpoint = started.endpoint;
    this.#api = new TestApi(started.endpoint.url, started.endpoint.token);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program[Symbol.asyncDispose]();
    await this.#directory[Symbol.asyncDispose]();
  }
}

async function launch(dataDir: string, port: number) {
  const program = await Program.start<ProbeHandlers>({
    args: [
      ...[...backendProcess.flags, "--expose-gc", "--import", PROBE, MAIN],
      ...["--data-dir", dataDir, "--port", String(port), "--log-level", "error"],
    ],
    environment: backendProcess.environment,
    isReady: (message) => ("listening" in message ? message.listening : undefined),
  });
  const text = await readFile(join(dataDir, "endpoint.json"), "utf8");
  return { program, endpoint: endpointFileSchema.parse(JSON.parse(text)) };
}
