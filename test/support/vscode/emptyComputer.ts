import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ENDPOINT_FILE, type EndpointFile, endpointFileSchema } from "@rport/protocol/endpointFile";
import { isRunning } from "@rport/protocol/local/runningBackends";
import { expect } from "vitest";
import { PeerAgent } from "../agents/peerAgent.ts";
import { TestApi } from "../backend/api.ts";
import { eventually } from "../eventually.ts";
import type { Editor } from "./editor.ts";
import type { CodeOptions } from "./server.ts";

const RESTART_MS = 60_000;

/**
 * A computer with nothing of ours. Any free port, where nobody chose one: those of a real computer are not for
 * tests. An old editor has a Node that is too old for the backend; people are told to install a new one, and
 * have it at the end of their PATH.
 */
export const EMPTY_COMPUTER = {
  env: { RPORT_SERVER_ADDRESS: "127.0.0.1:0" },
  homeFiles: { ".profile": `PATH="$PATH:${dirname(process.execPath)}"\n` },
} satisfies CodeOptions;

/** The backend that an editor has started in the home of its own user, where people have it. */
export class HomeBackend {
  readonly dataDir: string;

  constructor(editor: Editor) {
    this.dataDir = join(editor.server.folders.home, ".local", "state", "rport");
  }

  /** What the running one says of itself; waits until there is one. */
  endpoint(): Promise<EndpointFile> {
    return eventually(() => this.#read());
  }

  /** Waits until another process than this one runs: a stop and a start on a busy machine. */
  async becomesAnother(pid: number | undefined): Promise<void> {
    const current = () =>
      this.#read().then(
        (endpoint) => endpoint.pid,
        () => pid,
      );
    await expect.poll(current, { timeout: RESTART_MS }).not.toBe(pid);
  }

  async #read(): Promise<EndpointFile> {
    const text = await readFile(join(this.dataDir, ENDPOINT_FILE), "utf8");
    return endpointFileSchema.parse(JSON.parse(text));
  }

  /** Signs a host in, with a credential of its own. */
  async join(name: string): Promise<PeerAgent> {
    const { url, token } = await this.endpoint();
    const api = new TestApi(url, token);
    const { password } = await api.call("createCredential", { body: { id: name } });
    const introduction = { ID: `id-of-${name}`, Name: name };
    return PeerAgent.join({ url: url.replace(/^http/, "ws"), user: name, password, introduction });
  }

  /** Ends whatever runs there: it would survive the editor, as it should. */
  async [Symbol.asyncDispose](): Promise<void> {
    const text = await readFile(join(this.dataDir, ENDPOINT_FILE), "utf8").catch(() => undefined);
    if (text === undefined) return;
    const { pid } = endpointFileSchema.parse(JSON.parse(text));
    if (isRunning(pid)) process.kill(pid, "SIGKILL");
    await eventually(() => {
      if (isRunning(pid)) throw new Error(`${pid} is still there`);
    });
  }
}
