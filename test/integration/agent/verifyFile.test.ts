import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verifyFile } from "../../../agent/src/service/verifyFile.ts";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";
import { refusingPort } from "../../support/refusingPort.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";

let backend: RunningBackend;
let other: RunningBackend;

beforeAll(async () => {
  backend = await startBackend();
  other = await startBackend();
});
afterAll(async () => {
  await backend?.[Symbol.asyncDispose]();
  await other?.[Symbol.asyncDispose]();
});

/** A host that is enrolled at some server whose key it pins; it has the agent of that server. */
async function host({ url = backend.url, fingerprint = backend.fingerprint } = {}) {
  const directory = await tempDirectory();
  const config = join(directory.path, "rport.conf");
  const text = `[client]\nserver = "${url}"\nauth = "a:b"\nfingerprint = "${fingerprint}"\n`;
  await writeFile(config, text, { mode: 0o600 });
  const file = join(directory.path, "agent");
  await writeFile(file, "module.exports = {};\n");
  const verify = (server = url) => verifyFile({ file, server, config });
  return { file, verify, [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose]() };
}

describe("an installed agent that is asked about a file", () => {
  it("finds it in the manifest that its server has signed, with either fingerprint", async () => {
    await using sha256 = await host();
    await expect(sha256.verify()).resolves.toBeUndefined();
    await using md5 = await host({ fingerprint: backend.md5Fingerprint });
    await expect(md5.verify()).resolves.toBeUndefined();
  });

  it("S-07: refuses a file that is not in it", async () => {
    await using some = await host();
    await writeFile(some.file, "module.exports = { evil: true };\n");
    await expect(some.verify()).rejects.toMatchObject({
      exitCode: 6,
      message: expect.stringContaining("is not of the release"),
    });
  });

  it("S-07: refuses what somebody else signs who answers at its server's address", async () => {
    await using some = await host({ fingerprint: other.fingerprint });
    await expect(some.verify()).rejects.toMatchObject({
      exitCode: 6,
      message: expect.stringContaining("not signed by the server that this host knows"),
    });
  });

  it("has no opinion where it is not enrolled, and says so", async () => {
    await using some = await host();
    await expect(some.verify(other.url)).rejects.toMatchObject({ exitCode: 2 });
    await expect(some.verify("nonsense")).rejects.toMatchObject({ exitCode: 2 });
  });

  it("does not take silence for a yes", async () => {
    await using refusing = await refusingPort();
    await using some = await host({ url: `http://127.0.0.1:${refusing.port}` });
    await expect(some.verify()).rejects.toMatchObject({ exitCode: 5 });
    await using bare = await startBackend({ agentFiles: "/nowhere" });
    await using unbuilt = await host({ url: bare.url, fingerprint: bare.fingerprint });
    await expect(unbuilt.verify()).rejects.toMatchObject({ exitCode: 5 });
  });
});
