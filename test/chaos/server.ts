import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ENDPOINT_FILE, type EndpointFile, endpointFileSchema } from "@rport/protocol/endpointFile";
import type { EndpointCall, EndpointName, EndpointOutput } from "@rport/protocol/http";
import backendProcess from "../../scripts/lib/backendProcess.json" with { type: "json" };
import type { Login } from "../bench/backend.ts";
import { Program } from "../bench/program.ts";
import { TestApi } from "../support/backend/api.ts";
import type { ChaosProbe } from "./probe.ts";

const MAIN = fileURLToPath(new URL("../../backend/src/main.ts", import.meta.url));
const PROBE = new URL("probe.ts", import.meta.url).href;

/** What a server's process holds. */
export interface Holdings {
  /** Heap and buffers, after everything that nobody refers to has been removed. */
  readonly bytes: number;
  readonly descriptors: number;
}

interface Run {
  readonly program: Program<ChaosProbe>;
  readonly endpoint: EndpointFile;
  readonly api: TestApi;
}

/** The server as it is shipped, in a process of its own that faults happen to. */
export class ChaosServer implements AsyncDisposable {
  readonly dataDir: string;
  readonly #logFile: string;
  #run: Run;

  private constructor(dataDir: string, logFile: string, run: Run) {
    this.dataDir = dataDir;
    this.#logFile = logFile;
    this.#run = run;
  }

  /** Starts one on a free port. */
  static async start(dataDir: string, logFile: string): Promise<ChaosServer> {
    return new ChaosServer(dataDir, logFile, await launch(dataDir, logFile, 0));
  }

  get pid(): number {
    return this.#run.program.pid;
  }

  get url(): string {
    return this.#run.endpoint.url;
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** Where agents connect. */
  get agentUrl(): string {
    return this.url.replace("http:", "ws:");
  }

  get fingerprint(): string {
    return this.#run.endpoint.fingerprint;
  }

  /** The REST API of the process that runs now. */
  get calls(): TestApi {
    return this.#run.api;
  }

  /** Calls an endpoint of it. */
  api<N extends EndpointName>(name: N, call?: EndpointCall<N>): Promise<EndpointOutput<N>> {
    return this.#run.api.call(name, call);
  }

  /** Makes a credential with a generated secret that any number of agents may use. */
  async createLogin(id: string): Promise<Login> {
    const body = { id, limits: { joins_per_minute: 100_000 } };
    const { password } = await this.api("createCredential", { body });
    return { authId: id, secret: password };
  }

  /** SIGSTOP and SIGCONT, for example. */
  signal(name: NodeJS.Signals): void {
    process.kill(this.pid, name);
  }

  /** Ends it as a power cut would, and starts it again on the same port and data. */
  async killAndRestart(): Promise<void> {
    const { port } = this;
    await this.#run.program.kill();
    this.#run = await launch(this.dataDir, this.#logFile, port);
  }

  /** The machine's clock, as this process sees it, is off by so much. */
  setClock(offsetMs: number): Promise<void> {
    return this.#run.program.ask("setClock", offsetMs);
  }

  async descriptors(): Promise<number> {
    return (await readdir(`/proc/${this.pid}/fd`)).length;
  }

  async holdings(): Promise<Holdings> {
    const { heapBytes, externalBytes } = await this.#run.program.ask("settledUsage");
    return { bytes: heapBytes + externalBytes, descriptors: await this.descriptors() };
  }

  /** What it has logged so far. */
  log(): Promise<string> {
    return readFile(this.#logFile, "utf8");
  }

  /** Heap and buffers right now. */
  async bytes(): Promise<number> {
    const { heapBytes, externalBytes } = await this.#run.program.ask("usage");
    return heapBytes + externalBytes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#run.program[Symbol.asyncDispose]();
  }
}

async function launch(dataDir: string, logFile: string, port: number): Promise<Run> {
  const program = await Program.start<ChaosProbe>({
    args: [
      ...[...backendProcess.flags, "--expose-gc", "--import", PROBE, MAIN],
      ...["--data-dir", dataDir, "--port", String(port), "--log-level", "info"],
      ...["--log-file", logFile],
    ],
    environment: backendProcess.environment,
    isReady: (message) => ("listening" in message ? message.listening : undefined),
  });
  const text = await readFile(join(dataDir, ENDPOINT_FILE), "utf8");
  const endpoint = endpointFileSchema.parse(JSON.parse(text));
  return { program, endpoint, api: new TestApi(endpoint.url, endpoint.token) };
}
