import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:fs";
import { open, readFile, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ENDPOINT_FILE, endpointFileSchema } from "@rport/protocol/endpointFile";
import { SIGNAL_NAMES, SIGNALS } from "@rport/protocol/signals";
import { describe, expect, it } from "vitest";
import { spawnAgent } from "../support/agents/agent.ts";
import { startAgentServer } from "../support/agents/agentServer.ts";
import { startBackend } from "../support/backend/backend.ts";
import { spawnBackend } from "../support/backend/spawnBackend.ts";
import { eventually } from "../support/eventually.ts";
import { openTerminal } from "../support/installer/terminal.ts";
import { tempDirectory } from "../support/tempDirectory.ts";

const { O_NONBLOCK, O_RDWR } = constants;
const MAIN = fileURLToPath(new URL("../../backend/src/main.ts", import.meta.url));
/** A program that starts on a busy machine. */
const START_MS = 30_000;
/** What fits into a pipe that nobody reads, and into the smallest buffer behind it. */
const SMALL_BUFFER = { RPORT_LIMITS_LOG_BUFFER_BYTES: "65536" };

/** A backend whose standard error is a pipe that nobody has begun to read. */
async function unreadBackend(dataDir: string) {
  const args = [MAIN, "--data-dir", dataDir, "--port", "0", "--log-level", "debug"];
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env.PATH, HOME: dataDir, ...SMALL_BUFFER },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = once(child, "close").then(([code, signal]) => code ?? signal);
  child.stderr.pause();
  let stdout = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  await eventually(() => expect(stdout).toContain("is ready"), START_MS);
  const text = await readFile(join(dataDir, ENDPOINT_FILE), "utf8");
  const { url, token } = endpointFileSchema.parse(JSON.parse(text));
  const headers = { authorization: `Bearer ${token}` };
  return {
    child,
    ended,
    status: async () => (await fetch(`${url}/api/v1/status`, { headers })).status,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      child.stderr.resume();
      await ended;
    },
  };
}

describe("a log that nobody takes", () => {
  it("costs the backend no more than its buffer, and says afterwards how many lines are missing", async () => {
    await using temp = await tempDirectory();
    await using backend = await unreadBackend(temp.path);
    let asked = 0;
    for (; asked < 1_500; asked += 1) expect(await backend.status()).toBe(200);
    let log = "";
    backend.child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      log += chunk;
    });
    backend.child.stderr.resume();
    await eventually(() => expect(log).toContain("lines of the log were dropped"));
    const lines = log.trimEnd().split("\n");
    const told = lines.map((line) => JSON.parse(line) as { message: string; lines?: number });
    const dropped = told.find(({ message }) => message.startsWith("lines of the log"))?.lines ?? 0;
    const written = told.filter(({ message }) => message === "request").length;
    expect(dropped).toBeGreaterThan(100);
    expect(written + dropped).toBe(asked);
    expect(await backend.status()).toBe(200);
  });

  it("ends no backend when its reader is gone, nor does what it prints for people", async () => {
    await using temp = await tempDirectory();
    await using backend = await unreadBackend(temp.path);
    backend.child.stderr.destroy();
    backend.child.stdout.destroy();
    for (let n = 0; n < 20; n++) expect(await backend.status()).toBe(200);
    backend.child.kill("SIGTERM");
    expect(await backend.ended).toBe(0);
  });

  it("ends no agent, and cuts none of its connections", async () => {
    await using server = await startAgentServer();
    await using agent = await spawnAgent({ server: server.url });
    const { connection } = await server.next();
    agent.closeLog();
    await connection.request("ping", Buffer.alloc(0));
    agent.signal("SIGTERM");
    expect(await agent.ended).toBe(0);
  });
});

describe("what strangers are refused", () => {
  it("is a few lines of the log, however often they try, and paths are cut", async () => {
    await using backend = await startBackend();
    const path = `/api/v1/${"x".repeat(3_000)}`;
    for (let n = 0; n < 40; n++) {
      const tries = Array.from({ length: 50 }, () => fetch(backend.url + path));
      for (const answer of await Promise.all(tries)) expect(answer.status).toBe(401);
    }
    const of = () => backend.logLines.filter((line) => line.includes('"message":"request"'));
    await eventually(() => expect(of().length).toBe(5));
    for (const line of of()) expect(line.length).toBeLessThan(600);
    await backend.backend.close();
    expect(of().length).toBe(6);
    expect(JSON.parse(of()[5] ?? "")).toMatchObject({ network: "127.0.0.1", more: 1_995 });
  });
});

const withMeaning = (meaning: string) => SIGNAL_NAMES.filter((name) => SIGNALS[name] === meaning);
const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

describe("a signal", () => {
  it("that means nothing, and HUP, leave backend and agent as they are", async () => {
    await using temp = await tempDirectory();
    await using backend = await spawnBackend(temp.path);
    await using server = await startAgentServer();
    await using agent = await spawnAgent({ server: server.url });
    const { connection } = await server.next();
    for (const name of [...withMeaning("nothing"), ...withMeaning("reopenLog")]) {
      backend.signal(name);
      agent.signal(name);
      expect((await backend.api.call("getStatus")).clients_connected, name).toBe(0);
      await connection.request("ping", Buffer.alloc(0));
    }
    expect(backend.stderr() + agent.log()).not.toMatch(/debugger/i);
    expect(await exists(join(temp.path, ENDPOINT_FILE))).toBe(true);
  });

  it.each(withMeaning("stop"))("%s stops backend and agent in order", async (name) => {
    await using temp = await tempDirectory();
    await using backend = await spawnBackend(temp.path);
    await using server = await startAgentServer();
    await using agent = await spawnAgent({ server: server.url });
    await server.next();
    backend.signal(name);
    agent.signal(name);
    expect((await backend.ended).code).toBe(0);
    expect(await agent.ended).toBe(0);
    expect(backend.stderr()).toContain(`"signal":"${name}"`);
    expect(agent.log()).toContain(`"signal":"${name}"`);
    expect(await exists(join(temp.path, ENDPOINT_FILE))).toBe(false);
    const audit = await readFile(join(temp.path, "audit", "audit-1.ndjson"), "utf8");
    expect(audit).toContain('"stop"');
  });

  it("HUP opens the log file anew, in both, and the agent's connection lives through it", async () => {
    await using temp = await tempDirectory();
    const [ours, agents] = [join(temp.path, "backend.log"), join(temp.path, "agent.log")];
    await using backend = await spawnBackend(join(temp.path, "data"), ["--log-file", ours]);
    await using server = await startAgentServer();
    await using agent = await spawnAgent({ server: server.url, logging: { log_file: agents } });
    const { connection } = await server.next();
    await eventually(async () => {
      expect(await readFile(ours, "utf8")).toContain("listening");
      expect(await readFile(agents, "utf8")).toContain("connected");
    });
    for (const file of [ours, agents]) await rename(file, `${file}.1`);
    backend.signal("SIGHUP");
    agent.signal("SIGHUP");
    await eventually(async () => {
      expect(await exists(ours)).toBe(true);
      expect(await exists(agents)).toBe(true);
    });
    await connection.request("ping", Buffer.alloc(0));
    backend.signal("SIGTERM");
    agent.signal("SIGTERM");
    expect((await backend.ended).code).toBe(0);
    expect(await agent.ended).toBe(0);
    for (const file of [ours, agents]) {
      expect(await readFile(file, "utf8")).toContain("stopping");
      expect(await readFile(`${file}.1`, "utf8")).not.toContain("stopping");
    }
  });

  it("HUP stops a backend whose terminal has gone", async () => {
    await using temp = await tempDirectory();
    const words = [process.execPath, MAIN, "--data-dir", temp.path, "--port", "0"];
    const terminal = openTerminal(words);
    await terminal.shows("is ready");
    expect(await exists(join(temp.path, ENDPOINT_FILE))).toBe(true);
    await terminal[Symbol.asyncDispose]();
    await eventually(async () => expect(await exists(join(temp.path, ENDPOINT_FILE))).toBe(false));
  });
});

/** How a pipe is read that is the log file of somebody who is to be stopped. */
const READERS = {
  nobody: async () => ({ async [Symbol.asyncDispose]() {} }),
  "somebody who stopped reading": async (path: string) => await open(path, O_RDWR | O_NONBLOCK),
};

describe("a log file that is a pipe", () => {
  it.each(Object.entries(READERS))(
    "of which the reader is %s keeps neither from ending",
    async (_, read) => {
      await using temp = await tempDirectory();
      const [ours, agents] = [join(temp.path, "backend.log"), join(temp.path, "agent.log")];
      await once(spawn("mkfifo", [ours, agents]), "close");
      await using _reader = await read(ours);
      await using _other = await read(agents);
      const noisy = ["--log-file", ours, "--log-level", "debug"];
      await using backend = await spawnBackend(join(temp.path, "data"), noisy);
      await using server = await startAgentServer();
      const logging = { log_file: agents, log_level: "debug" };
      await using agent = await spawnAgent({ server: server.url, logging });
      const { connection } = await server.next();
      for (let n = 0; n < 500; n++) await backend.api.call("getStatus");
      backend.signal("SIGHUP");
      agent.signal("SIGHUP");
      await connection.request("ping", Buffer.alloc(0));
      backend.signal("SIGTERM");
      agent.signal("SIGTERM");
      expect((await backend.ended).code).toBe(0);
      expect(await agent.ended).toBe(0);
    },
  );

  it("takes lines as a file does, as long as somebody reads", async () => {
    await using temp = await tempDirectory();
    const path = join(temp.path, "log");
    await once(spawn("mkfifo", [path]), "close");
    const reader = spawn("cat", [path]);
    let text = "";
    reader.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    const read = once(reader, "close");
    await using backend = await spawnBackend(join(temp.path, "data"), ["--log-file", path]);
    backend.signal("SIGTERM");
    expect((await backend.ended).code).toBe(0);
    await read;
    expect(text).toContain("listening");
    expect(text).toContain("stopping");
    expect(backend.stderr()).toBe("");
  });
});

describe("a log file that cannot be opened", () => {
  it("is told on standard error, and keeps neither backend nor agent from serving", async () => {
    await using temp = await tempDirectory();
    const occupied = join(temp.path, "occupied");
    await writeFile(occupied, "");
    const file = join(occupied, "rport.log");
    await using backend = await spawnBackend(join(temp.path, "data"), ["--log-file", file]);
    await using server = await startAgentServer();
    await using agent = await spawnAgent({ server: server.url, logging: { log_file: file } });
    await server.next();
    expect((await backend.api.call("getStatus")).clients_connected).toBe(0);
    const why = "the log file cannot be written, so the log goes on here";
    await eventually(() => {
      expect(backend.stderr()).toContain(why);
      expect(backend.stderr()).toContain("listening");
      expect(agent.log()).toContain(why);
      expect(agent.log()).toContain("starting");
    });
  });
});
