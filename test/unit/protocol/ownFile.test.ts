import { spawnSync } from "node:child_process";
import { readFile, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { readEndpoint } from "@rport/protocol/local/endpointReader";
import { readOwnFile } from "@rport/protocol/local/ownFile";
import { readRunning, runningEntryPath } from "@rport/protocol/local/runningBackends";
import { describe, expect, it } from "vitest";
import { findLocalBackend } from "../../../extension/src/servers/local.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";
import { within } from "../../support/within.ts";

const OWNER = process.geteuid?.();
/** As many threads as Node has for all access to files. */
const THREADS = 4;

describe.skipIf(process.platform === "win32")("S-46: in the place of a person's own file", () => {
  it("a pipe keeps nobody waiting, and takes no thread from any other file", async () => {
    await using directory = await tempDirectory();
    const path = join(directory.path, "endpoint.json");
    const entry = runningEntryPath(directory.path, "/data");
    for (const pipe of [path, entry]) spawnSync("mkfifo", ["-m", "600", pipe]);
    const environment = {
      platform: process.platform,
      homeDirectory: directory.path,
      uid: OWNER,
      variable: () => undefined,
    };
    const looks = Array.from({ length: THREADS }, () =>
      findLocalBackend(environment, directory.path),
    );
    expect(await within("the looks", Promise.all(looks))).toMatchObject(
      looks.map(() => ({ kind: "absent", reason: expect.stringContaining("is not ours") })),
    );
    expect(await within("the entries", readRunning(directory.path, OWNER))).toEqual([]);
    await expect(within("another file", readFile("/dev/null", "utf8"))).resolves.toBe("");
  });

  it.skipIf(process.platform !== "linux")("what goes on for ever is not ours", async () => {
    const path = "/proc/self/pagemap";
    const rule = { owner: OWNER, maxBytes: 4_096 };
    expect(await within("an end", readOwnFile(path, rule))).toEqual({ kind: "other" });
    const any = { owner: undefined, maxBytes: 4_096 };
    expect(await within("an end", readOwnFile(path, any))).toEqual({ kind: "other" });
  });

  it("a link or a socket is not ours", async () => {
    await using directory = await tempDirectory();
    const real = join(directory.path, "real.json");
    await writeFile(real, "{}", { mode: 0o600 });
    const link = join(directory.path, "link.json");
    await symlink(real, link);
    const socket = join(directory.path, "socket.json");
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    for (const path of [link, socket]) {
      const reason = expect.stringContaining("is not ours");
      expect(await readEndpoint(path, OWNER)).toMatchObject({ kind: "absent", reason });
    }
    server.close();
  });
});
