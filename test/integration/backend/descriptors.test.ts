import { execFile } from "node:child_process";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { spawnBackend } from "../../support/backend/spawnBackend.ts";
import { eventually } from "../../support/eventually.ts";
import { head } from "../../support/faults/rawHttp.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";

const run = promisify(execFile);

/** Sockets of somebody who only wants to have them. */
class Holder implements Disposable {
  readonly #sockets: Socket[] = [];
  readonly #port: number;

  constructor(url: string) {
    this.#port = Number(new URL(url).port);
  }

  /** Resolves when each is connected, or was turned away. */
  async add(count: number, bytes: string): Promise<void> {
    const opened = Array.from({ length: count }, (_, n) => {
      const from = `127.0.${1 + (n % 200)}.1`;
      const socket = connect({ port: this.#port, host: "127.0.0.1", localAddress: from });
      this.#sockets.push(socket);
      socket.write(bytes);
      return new Promise((resolve) => {
        socket.once("connect", resolve).on("error", resolve).once("close", resolve);
      });
    });
    await Promise.all(opened);
  }

  [Symbol.dispose](): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

describe("F-16 a backend with few descriptors", () => {
  it("says how many connections follow from that, and keeps people, log and database going", async () => {
    await using temp = await tempDirectory();
    const dataDir = join(temp.path, "data");
    await using backend = await spawnBackend(dataDir, [], { descriptors: 256 });
    expect(backend.stderr()).toMatch(/fewer connections than configured.*"sockets":128/);
    const { api, endpoint } = backend;
    using holder = new Holder(endpoint.url);
    const body = head("POST /pair/v1/claim", [
      `Host: ${new URL(endpoint.url).host}`,
      "Content-Type: application/json",
      "Content-Length: 1000",
    ]);
    await holder.add(400, body);
    await eventually(async () => {
      const { connections } = await api.call("getStatus");
      expect(connections).toMatchObject({ max: 128 });
      expect(connections?.refused).toBeGreaterThan(0);
    });
    await api.call("createCredential", { body: { id: "made-meanwhile" } });
    const ids = (await api.call("listCredentials")).map(({ id }) => id);
    expect(ids).toContain("made-meanwhile");
    expect(backend.stderr()).toContain('"limit":"sockets"');
    expect(backend.stderr()).not.toContain("EMFILE");
  });

  it("says so when none are left at all, and recovers", async () => {
    await using temp = await tempDirectory();
    await using backend = await spawnBackend(join(temp.path, "data"));
    const allow = (soft: number) =>
      run("prlimit", ["--pid", String(backend.pid), `--nofile=${soft}:`]);
    await allow(16);
    await eventually(
      () => expect(backend.stderr()).toContain('"limit":"descriptors_kept"'),
      15_000,
    );
    await allow(1_024);
    expect(await backend.api.call("getStatus")).toBeDefined();
  });
});
