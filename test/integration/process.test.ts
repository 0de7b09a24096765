import { once } from "node:events";
import { mkdir, stat, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { ENDPOINT_FILE } from "@rport/protocol/endpointFile";
import { VERSION } from "@rport/protocol/version";
import { describe, expect, it } from "vitest";
import { EventStream } from "../support/backend/eventStream.ts";
import { runBackend, spawnBackend } from "../support/backend/spawnBackend.ts";
import { tempDirectory } from "../support/tempDirectory.ts";

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

describe("the backend's process", () => {
  it("says where it is, and tells editors through a file that only its owner reads", async () => {
    await using temp = await tempDirectory();
    await using backend = await spawnBackend(temp.path);
    const status = await backend.api.call("getStatus");
    const { mode } = await stat(join(temp.path, ENDPOINT_FILE));

    expect(mode & 0o777).toBe(0o600);
    expect(backend.endpoint).toMatchObject({
      pid: backend.pid,
      fingerprint: status.fingerprint_sha256,
    });
    for (const fact of [
      backend.endpoint.url,
      status.fingerprint_sha256,
      status.fingerprint,
      temp.path,
    ]) {
      expect(backend.stdout()).toContain(fact);
    }
    expect(backend.stdout() + backend.stderr()).not.toContain(backend.endpoint.token);
  });

  it.each(["SIGINT", "SIGTERM"] as const)(
    "F-23: ends within two seconds at %s with status 0, and takes its endpoint file along",
    async (signal) => {
      await using temp = await tempDirectory();
      await using backend = await spawnBackend(temp.path);
      const { url, token } = backend.endpoint;
      using events = new EventStream(url, token);
      await events.snapshot();
      const start = performance.now();
      backend.signal(signal);
      const { code } = await backend.ended;

      expect(code).toBe(0);
      expect(performance.now() - start).toBeLessThan(2_000);
      expect(await events.closed).toBe(4005);
      expect(await exists(join(temp.path, ENDPOINT_FILE))).toBe(false);
    },
  );

  it("is the same server after kill -9, with everything it answered for and a new token", async () => {
    await using temp = await tempDirectory();
    const first = await spawnBackend(temp.path);
    await first.api.call("createCredential", { body: { id: "kept" } });
    await first.kill();
    await using second = await spawnBackend(temp.path);
    const kept = await second.api.call("getCredential", { params: { authId: "kept" } });

    expect(kept.secrets_active).toBe(1);
    expect(second.endpoint.fingerprint).toBe(first.endpoint.fingerprint);
    expect(second.endpoint.token).not.toBe(first.endpoint.token);
  });

  it("C-27, D-07: does not start twice on a data directory, and names who has it", async () => {
    await using temp = await tempDirectory();
    await using owner = await spawnBackend(temp.path);
    const { code, stderr } = await runBackend(["--data-dir", temp.path, "--port", "0"]);

    expect(code).toBe(73);
    expect(stderr).toContain(String(owner.pid));
    expect(stderr).toContain(temp.path);
    expect((await owner.api.call("getStatus")).version).toBe(VERSION);
  });

  it("says which port is taken, and how to choose another", async () => {
    await using temp = await tempDirectory();
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as AddressInfo;
    const { code, stderr } = await runBackend(["--data-dir", temp.path, "--port", String(port)]);
    taken.close();

    expect(code).toBe(98);
    expect(stderr).toContain(`127.0.0.1:${port}`);
    expect(stderr).toContain("--port");
    await using backend = await spawnBackend(temp.path);
    expect(backend.endpoint.url).not.toContain(`:${port}`);
  });

  it("does not start on damaged data, and changes nothing there", async () => {
    await using temp = await tempDirectory();
    const document = join(temp.path, "rport.json");
    await mkdir(temp.path, { recursive: true });
    await writeFile(document, "null");
    const { code, stderr } = await runBackend(["--data-dir", temp.path, "--port", "0"]);
    expect(code).toBe(65);
    expect(stderr).toContain(document);
    expect(stderr).not.toMatch(/at .*\.ts:\d+/);
  });

  it("refuses flags it does not know with status 2", async () => {
    const { code, stderr, stdout } = await runBackend(["--colour", "red"]);
    expect(code).toBe(2);
    expect(stderr).toContain("colour");
    expect(stdout).toBe("");
  });

  it("prints its version and its help without starting", async () => {
    const version = await runBackend(["--version"]);
    const help = await runBackend(["--help"]);
    expect(version).toMatchObject({ code: 0, stdout: `rport-backend ${VERSION}\n` });
    expect(help.stdout).toContain("--data-dir");
  });

  it.each([
    ["127.0.0.1:0", "this-machine"],
    ["0.0.0.0:0", "all-addresses"],
  ])("tells who gets through to it: %s", async (address, reach) => {
    await using temp = await tempDirectory();
    await using backend = await spawnBackend(temp.path, ["--address", address]);
    expect((await backend.api.call("getStatus")).listens_to).toBe(reach);
  });

  it("serves users apart from agents when it is told to", async () => {
    await using temp = await tempDirectory();
    await using backend = await spawnBackend(temp.path, ["--api-address", "127.0.0.1:0"]);
    const { connect_url: urls } = await backend.api.call("getStatus");
    const agents = urls[0] ?? "";
    expect(agents).not.toBe(backend.endpoint.url);
    expect((await fetch(`${agents}/api/v1/status`)).status).toBe(404);
    expect((await fetch(`${agents}/p/0000000000000000`)).headers.get("content-type")).toMatch(
      /shellscript/,
    );
    expect((await backend.api.page("/p/0000000000000000")).headers.get("content-type")).toMatch(
      /json/,
    );
  });
});
