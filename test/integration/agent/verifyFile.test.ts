import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { VERSION } from "@rport/protocol/version";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { platformOf } from "../../../agent/src/machine/platformOf.ts";
import { runService } from "../../../agent/src/service/command.ts";
import { verifyFile } from "../../../agent/src/service/verifyFile.ts";
import { fakeRelease } from "../../support/agents/agentRelease.ts";
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
  const verify = (server = url) => verifyFile({ file, server, config, allowsDowngrade: false });
  return { file, verify, [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose]() };
}

/** A host whose server hands out a release of this version, and the command that asks about a file. */
async function hostOfRelease(version: string) {
  await using opened = new AsyncDisposableStack();
  const { path } = opened.use(await tempDirectory());
  await fakeRelease(path, { version });
  const backend = opened.use(await startBackend({ agentFiles: path }));
  const some = opened.use(await host(backend));
  const flags = [`--server=${backend.url}`, `--file=${some.file}`];
  const prefix = `--prefix=${dirname(some.file)}`;
  const verify = (more: readonly string[] = []) =>
    runService("verify", [...flags, prefix, ...more], platformOf(process.platform));
  const closing = opened.move();
  return { ...some, verify, [Symbol.asyncDispose]: () => closing.disposeAsync() };
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

  it("S-50: refuses a release that its server has signed and that is older, unless that is allowed", async () => {
    const wrong = [
      ["0.0.9", "older than"],
      [`${VERSION}-rc.1`, "older than"],
      ["yesterday", "not to be compared with"],
    ] as const;
    for (const [version, what] of wrong) {
      await using some = await hostOfRelease(version);
      await expect(some.verify()).rejects.toMatchObject({
        exitCode: 6,
        message: expect.stringContaining(
          `release ${version}, which is ${what} the agent of this host, ${VERSION}.`,
        ),
      });
      await expect(some.verify(["--allow-downgrade"])).resolves.toBe(0);
      await writeFile(some.file, "module.exports = { evil: true };\n");
      await expect(some.verify(["--allow-downgrade"])).rejects.toMatchObject({ exitCode: 6 });
    }
  });

  it("takes a release that is newer", async () => {
    await using some = await hostOfRelease("99.0.0");
    await expect(some.verify()).resolves.toBe(0);
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
