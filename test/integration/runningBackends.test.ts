import { chmod, mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readRunning } from "@rport/protocol/local/runningBackends";
import { describe, expect, it } from "vitest";
import { accessTo } from "../../extension/src/servers/access.ts";
import { localConfig, localUrlOf } from "../../extension/src/servers/config.ts";
import { findRunning } from "../../extension/src/servers/runningBackends.ts";
import { Tokens } from "../../extension/src/servers/tokens.ts";
import type { Environment } from "../../extension/src/support/environment.ts";
import { Redactor } from "../../extension/src/support/redact.ts";
import { spawnBackend } from "../support/backend/spawnBackend.ts";
import { eventually } from "../support/eventually.ts";
import { tempDirectory } from "../support/tempDirectory.ts";

/** A person's folder for state, and data directories elsewhere. */
async function person() {
  const temp = await tempDirectory();
  const state = join(temp.path, "state");
  const variables: Readonly<Record<string, string>> = { XDG_STATE_HOME: state };
  const environment: Environment = {
    platform: process.platform,
    homeDirectory: temp.path,
    uid: process.geteuid?.(),
    variable: (name) => variables[name],
  };
  const folder = join(state, "rport-running");
  return {
    folder,
    usual: join(state, "rport"),
    dataDir: (name: string) => join(temp.path, name),
    environment,
    start: (dataDir: string) => spawnBackend(dataDir, [], { environment: variables }),
    running: async () => {
      const entries = await readRunning(folder, process.geteuid?.());
      return entries.map(({ dataDir, pid }) => ({ dataDir, pid }));
    },
    [Symbol.asyncDispose]: () => temp[Symbol.asyncDispose](),
  };
}

describe("a backend with a data directory of its own", () => {
  it("says where it is in a file of its owner's, and takes that back when it stops", async () => {
    await using us = await person();
    await using backend = await us.start(us.dataDir("one"));
    expect(await us.running()).toEqual([{ dataDir: us.dataDir("one"), pid: backend.pid }]);
    const [name = ""] = await readdir(us.folder);
    const path = join(us.folder, name);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(us.folder)).mode & 0o777).toBe(0o700);

    // what somebody else could have written is not believed
    const forged = join(us.folder, `${"0".repeat(32)}.json`);
    await writeFile(forged, '{"dataDir":"/elsewhere","pid":1}', { mode: 0o600 });
    await writeFile(join(us.folder, "notes.json"), "{");
    expect(await us.running()).toHaveLength(1);
    await chmod(path, 0o644);
    expect(await us.running()).toEqual([]);
    await chmod(path, 0o600);

    backend.signal("SIGTERM");
    await backend.ended;
    expect(await readdir(us.folder)).not.toContain(name);
  });

  it("drops what one left that was killed", async () => {
    await using us = await person();
    await using first = await us.start(us.dataDir("one"));
    await first.kill();
    expect(await us.running()).toEqual([{ dataDir: us.dataDir("one"), pid: first.pid }]);
    await using second = await us.start(us.dataDir("two"));
    expect(await us.running()).toEqual([{ dataDir: us.dataDir("two"), pid: second.pid }]);
  });

  it("is not announced where editors look anyway", async () => {
    await using us = await person();
    await using backend = await us.start(us.usual);
    expect((await backend.api.call("getStatus")).version).not.toBe("");
    expect(await us.running()).toEqual([]);
    await expect(readdir(us.folder)).rejects.toThrow("ENOENT");
  });

  it("starts where the file cannot be written", async () => {
    await using us = await person();
    await mkdir(join(us.folder, ".."), { recursive: true });
    await writeFile(us.folder, "in the way");
    await using backend = await us.start(us.dataDir("one"));
    await eventually(() => expect(backend.stderr()).toContain("editors will not find this server"));
  });
});

describe("an editor of the same person", () => {
  it("finds a backend with a data directory of its own, and drops one that was killed", async () => {
    await using us = await person();
    await using one = await us.start(us.dataDir("one"));
    await using two = await us.start(us.dataDir("two"));
    const dataDir = us.dataDir("one");
    const url = new URL(one.endpoint.url).origin;
    await two.kill();
    expect(await findRunning(us.environment)).toEqual([{ dataDir, url }]);
    expect(await us.running()).toHaveLength(1);

    const config = localConfig("", localUrlOf(dataDir));
    if (config === undefined) throw new Error("the folder cannot be named");
    expect(config.name).toBe("Local Backend (one)");
    const redactor = new Redactor();
    const store = { get: async () => undefined, store: async () => {}, delete: async () => {} };
    const tokens = new Tokens({ store, redactor });
    const enter = accessTo(config, { environment: us.environment, tokens, redactor });
    const access = await enter();
    expect(access).toMatchObject({ kind: "ready", url });
    if (access.kind === "ready") access.connection?.close();

    await one.kill();
    expect(await enter()).toMatchObject({ kind: "unavailable" });
    expect(await findRunning(us.environment)).toEqual([]);
    expect(await us.running()).toEqual([]);
  });
});
