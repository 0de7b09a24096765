import { readdir, readlink } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { describe, expect, it } from "vitest";
import type { SetLimits } from "../../../backend/src/limits/limitTable.ts";
import { fakeRelease } from "../../support/agents/agentRelease.ts";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";
import { eventually } from "../../support/eventually.ts";
import { head } from "../../support/faults/rawHttp.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";

/** More than what the system's own buffers take, so that the rest stays with the server. */
const LARGE = "x".repeat(32 << 20);
/** With the rest of it nearly as long as a script may be. */
const SCRIPT_TAIL = `# ${"x".repeat(60_000)}\n`;

interface Scene extends AsyncDisposable {
  readonly backend: RunningBackend;
  readonly agentPath: string;
  /** Sends these bytes and reads nothing of what comes. */
  readonly ask: (bytes: string) => Socket;
  readonly download: () => Socket;
}

async function start(limits: SetLimits): Promise<Scene> {
  await using opened = new AsyncDisposableStack();
  const temp = opened.use(await tempDirectory());
  const release = await fakeRelease(temp.path, { agent: LARGE, scriptTail: SCRIPT_TAIL });
  const backend = opened.use(await startBackend({ agentFiles: release.directory, limits }));
  const sockets: Socket[] = [];
  opened.defer(() => {
    for (const socket of sockets) socket.destroy();
  });
  const agentPath = `/agent/${release.version}/agent.cjs`;
  const ask = (bytes: string): Socket => {
    const socket = connect({ port: backend.port, host: "127.0.0.1" });
    socket.on("error", () => {});
    socket.pause().write(bytes);
    sockets.push(socket);
    return socket;
  };
  const download = (): Socket => ask(head(`GET ${agentPath}`, [`Host: 127.0.0.1:${backend.port}`]));
  const closing = opened.move();
  return { backend, agentPath, ask, download, [Symbol.asyncDispose]: () => closing.disposeAsync() };
}

/** How often this process has a file open whose name ends like this. */
async function timesOpen(name: string): Promise<number> {
  const descriptors = await readdir("/proc/self/fd");
  const links = await Promise.all(
    descriptors.map((one) => readlink(`/proc/self/fd/${one}`).catch(() => "")),
  );
  return links.filter((link) => link.endsWith(name)).length;
}

const running = ({ backend }: Scene) =>
  backend.backend.limits.states().find(({ name }) => name === "downloads")?.used;

describe("F-16 readers who do not read", () => {
  it("end with their download after a while without progress, and the log says so", async () => {
    await using scene = await start({ response_stall_ms: 200 });
    for (let n = 0; n < 5; n += 1) scene.download();
    await scene.backend.logged((line) => line.includes('"limit":"response_stall_ms"'));
    await eventually(async () => {
      expect(running(scene)).toBe(0);
      expect(scene.backend.backend.sockets.counts.open).toBe(0);
      expect(await timesOpen("/agent.cjs")).toBe(0);
    });
  });

  it("end with any other answer, too", async () => {
    await using scene = await start({ response_stall_ms: 200, pipelined_requests: 600 });
    const one = `GET /p/${"A".repeat(16)} HTTP/1.1\r\nHost: 127.0.0.1:${scene.backend.port}\r\n\r\n`;
    scene.ask(one.repeat(500));
    await scene.backend.logged((line) => line.includes('"limit":"response_stall_ms"'));
    await eventually(() => expect(scene.backend.backend.sockets.counts.open).toBe(0));
  });

  it("share one descriptor of the file, and are so many at once", async () => {
    await using scene = await start({ downloads: 4 });
    for (let n = 0; n < 4; n += 1) scene.download();
    await eventually(async () => {
      expect(running(scene)).toBe(4);
      expect(await timesOpen("/agent.cjs")).toBe(1);
    });
    const more = await fetch(`${scene.backend.url}${scene.agentPath}`);
    expect(more.status).toBe(503);
    expect(Number(more.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(more.headers.get("etag")).toBeNull();
    expect(await more.json()).toMatchObject({ errors: [{ code: "UNAVAILABLE" }] });
    await scene.backend.logged((line) => line.includes('"limit":"downloads"'));
  });

  it("of one network make room for another one, however fast they read, and keep their share", async () => {
    await using temp = await tempDirectory();
    const release = await fakeRelease(temp.path, { agent: LARGE });
    const limits = { downloads: 2 };
    const trustedProxies = ["127.0.0.1"];
    const agentFiles = release.directory;
    await using backend = await startBackend({ agentFiles, limits, trustedProxies });
    const url = `${backend.url}/agent/${release.version}/agent.cjs`;
    const from = (address: string) => fetch(url, { headers: { "X-Forwarded-For": address } });
    const crowd = [await from("192.0.2.1"), await from("192.0.2.1")];
    expect((await from("192.0.2.1")).status).toBe(503);
    const other = await from("198.51.100.7");
    expect(other.status).toBe(200);
    for (const address of ["192.0.2.1", "203.0.113.9"])
      expect((await from(address)).status).toBe(503);
    expect(await other.text()).toHaveLength(LARGE.length);
    const ends = await Promise.allSettled(crowd.map((one) => one.text()));
    expect(ends.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  });

  it("make room for others when they are slow", async () => {
    const { FakeClock } = await import("../../support/clock.ts");
    const clock = new FakeClock();
    await using temp = await tempDirectory();
    const release = await fakeRelease(temp.path, { agent: LARGE });
    const limits = { downloads: 1 };
    await using backend = await startBackend({ agentFiles: release.directory, limits, clock });
    const url = `${backend.url}/agent/${release.version}/agent.cjs`;
    const slow = await fetch(url);
    clock.advance(9_999);
    expect((await fetch(url)).status).toBe(503);
    clock.advance(3_600_000);
    const next = await fetch(url);
    expect(next.status).toBe(200);
    expect(await next.text()).toHaveLength(LARGE.length);
    await expect(slow.text()).rejects.toThrow();
  });
});
