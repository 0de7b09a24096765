import { createHash } from "node:crypto";
import { realpath, rm } from "node:fs/promises";
import type { Server } from "node:net";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { contain } from "@rport/protocol/wire/contain";
import { z } from "zod";
import type { Clock } from "../../platform/clock.ts";
import { toTime } from "../../platform/clock.ts";
import { StartFailure } from "../../platform/startFailure.ts";
import { codeOf } from "./durableFile.ts";

/** How long an owner may take to say who it is. */
const ANSWER_TIMEOUT_MS = 1_000;
/** An owner's answer is one short line. */
const ANSWER_MAX_BYTES = 1_024;

const ownerSchema = z.object({
  pid: z.int().positive(),
  started_at: z.iso.datetime(),
});

/** The process that owns a data directory. */
export type Owner = z.infer<typeof ownerSchema>;

/** Ownership of a data directory. The system takes it back however the process ends. */
export interface DirectoryLock {
  release(): Promise<void>;
}

/**
 * Makes this process the only owner of a data directory, which must exist. A listening local
 * socket is the lock: the kernel frees it even after kill -9, so nothing is ever stale. Fails with
 * `StartFailure` `inUse`, naming the owner.
 */
export async function lockDirectory(directory: string, clock: Clock): Promise<DirectoryLock> {
  const address = await lockAddress(directory);
  const answer = JSON.stringify({ pid: process.pid, started_at: toTime(clock.now()) });
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.end(answer);
  });
  // Whatever becomes of those who ask: the lock holds for as long as this process.
  contain(server, () => {});
  if (!(await listens(server, address))) {
    const owner = await askOwner(address);
    // Where the socket is a file, one that nobody answers at is left from a killed process.
    if (owner !== "gone" || !(await takeOver(server, address))) throw inUse(directory, owner);
  }
  server.unref();
  return { release: () => new Promise((resolve) => server.close(() => resolve())) };
}

/** Who owns the directory now; undefined when nobody does. */
export async function ownerOf(directory: string): Promise<Owner | undefined> {
  const owner = await askOwner(await lockAddress(directory));
  return typeof owner === "string" ? undefined : owner;
}

async function lockAddress(directory: string): Promise<string> {
  const real = await realpath(directory);
  const name = createHash("sha256").update(real).digest("hex").slice(0, 32);
  if (process.platform === "linux") return `\0rport-${name}`;
  if (process.platform === "win32") return `\\\\.\\pipe\\rport-${name}`;
  return join(real, "lock.sock");
}

function listens(server: Server, address: string): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const onError = (error: Error): void => {
    if (codeOf(error) === "EADDRINUSE") resolve(false);
    else reject(new StartFailure("io", `The lock could not be taken: ${error.message}`));
  };
  server.once("error", onError);
  server.listen(address, () => {
    server.off("error", onError);
    resolve(true);
  });
  return promise;
}

async function takeOver(server: Server, address: string): Promise<boolean> {
  if (process.platform === "linux" || process.platform === "win32") return listens(server, address);
  await rm(address, { force: true });
  return listens(server, address);
}

/** `gone`: nobody listens. `silent`: somebody does, and did not say who in time. */
function askOwner(address: string): Promise<Owner | "gone" | "silent"> {
  const { promise, resolve } = Promise.withResolvers<Owner | "gone" | "silent">();
  const socket = connect(address);
  let text = "";
  socket.setTimeout(ANSWER_TIMEOUT_MS, () => socket.destroy());
  socket.setEncoding("utf8");
  socket.on("data", (chunk: string) => {
    text += chunk;
    if (text.length > ANSWER_MAX_BYTES) socket.destroy();
  });
  socket.on("error", (error) => {
    if (codeOf(error) === "ECONNREFUSED" || codeOf(error) === "ENOENT") resolve("gone");
  });
  socket.on("close", () => resolve(parseOwner(text)));
  return promise;
}

function parseOwner(text: string): Owner | "silent" {
  try {
    return ownerSchema.parse(JSON.parse(text));
  } catch {
    return "silent";
  }
}

function inUse(directory: string, owner: Owner | "gone" | "silent"): StartFailure {
  const who =
    typeof owner === "string"
      ? "another process"
      : `process ${owner.pid}, started ${owner.started_at}`;
  return new StartFailure(
    "inUse",
    `${directory} is in use by ${who}. A data directory has one server at a time: ` +
      "stop that one, or choose another with --data-dir.",
  );
}
