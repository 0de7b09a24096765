import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { cp, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type AgentProgram, runCli, spawnAgent } from "../support/agents/agent.ts";
import { startBackend } from "../support/backend/backend.ts";
import { eventually } from "../support/eventually.ts";
import { readCodeSignature } from "../support/installer/codeSignature.ts";
import { MUSL_LOADER, muslCxx, whyNoMusl } from "../support/installer/muslRuntime.ts";
import { bundleInto } from "../support/installer/realRelease.ts";
import { tempDirectory } from "../support/tempDirectory.ts";

/** Scripts have no types: they run before anything is installed. */
const script = (name: string) =>
  import(new URL(`../../scripts/lib/agent/${name}`, import.meta.url).href);

const { compileAgent } = await script("compile.mjs");
const { ensureRuntime, runtimeOf } = await script("runtimes.mjs");
const { executableOf } = await script("targets.mjs");

const BUILD_MS = 400_000;
/** A program for another processor is slow. */
const ONLINE_MS = 60_000;
const ARM_LIBRARIES = "/usr/aarch64-linux-gnu";
const QEMU = "/usr/bin/qemu-aarch64-static";

/** Those whose files can be looked at here; the others differ from them by one word. */
const TARGETS = ["linux-arm64", "linux-x64-musl", "windows-x64", "darwin-arm64", "darwin-x64"];

/** CI fetches what it needs; elsewhere somebody has to have asked for it. */
const areThere = TARGETS.every((target) => runtimeOf(target) !== undefined);
const isSkipped = !areThere && process.env.CI !== "true";

let made: Awaited<ReturnType<typeof tempDirectory>>;
const pathOf = (target: string) => join(made.path, executableOf(target));
const bytesOf = (target: string) => readFile(pathOf(target));
const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

beforeAll(async () => {
  if (isSkipped) return;
  made = await tempDirectory();
  await bundleInto(made.path);
  for (const target of TARGETS) {
    await ensureRuntime(target);
    await compileAgent(made.path, "agent.cjs", target);
  }
}, BUILD_MS);
afterAll(() => made?.[Symbol.asyncDispose]());

// Otherwise: npm run package -- --target all
describe.skipIf(isSkipped)("executables for other machines", () => {
  test("are for those machines, by what their first bytes say", async () => {
    const arm = await bytesOf("linux-arm64");
    expect([arm.toString("latin1", 0, 4), arm.readUInt16LE(18)]).toEqual(["\x7fELF", 183]);
    expect(arm.includes("/lib/ld-linux-aarch64.so.1\0")).toBe(true);
    const musl = await bytesOf("linux-x64-musl");
    expect([musl.toString("latin1", 0, 4), musl.readUInt16LE(18)]).toEqual(["\x7fELF", 62]);
    expect(musl.includes(`${MUSL_LOADER}\0`)).toBe(true);
    const windows = await bytesOf("windows-x64");
    const header = windows.readUInt32LE(0x3c);
    expect(windows.toString("latin1", header, header + 4)).toBe("PE\0\0");
    expect(windows.readUInt16LE(header + 4)).toBe(0x8664);
    for (const [target, cpu] of [
      ["darwin-arm64", 0x0100000c],
      ["darwin-x64", 0x01000007],
    ] as const) {
      const mac = await bytesOf(target);
      expect([mac.readUInt32LE(0), mac.readUInt32LE(4)]).toEqual([0xfeedfacf, cpu]);
    }
  });

  test.each(["darwin-arm64", "darwin-x64"])(
    "have hashes that fit each page of %s",
    async (target) => {
      const program = await bytesOf(target);
      const signature = readCodeSignature(program);
      expect(signature).toMatchObject({
        isAdHoc: true,
        identifier: `rport-agent-${target}`,
        wrong: 0,
      });
      expect(signature.start).toBeGreaterThan(80_000_000);
      expect(signature.pages).toBe(Math.ceil(signature.start / 4_096));
      const { start } = signature;
      program.writeUInt8(program.readUInt8(start - 1) ^ 1, start - 1);
      expect(readCodeSignature(program).wrong).toBe(1);
    },
  );

  test.each(["linux-arm64", "darwin-x64"])("are the same in two builds for %s", async (target) => {
    await using other = await tempDirectory();
    const deeper = join(other.path, "another", "place");
    await mkdir(deeper, { recursive: true });
    await cp(join(made.path, "agent.cjs"), join(deeper, "agent.cjs"));
    const name = await compileAgent(deeper, "agent.cjs", target);
    expect(sha256(await readFile(join(deeper, name)))).toBe(sha256(await bytesOf(target)));
  });

  test("run on Arm and connect to a server", async (ctx) => {
    const isThere = existsSync(QEMU) && existsSync(ARM_LIBRARIES);
    if (!isThere && process.env.CI === "true")
      throw new Error("CI has to have qemu and libc for Arm");
    ctx.skip(!isThere, "qemu-user-static or libc6-arm64-cross is not installed");
    await connects({ command: [QEMU, "-L", ARM_LIBRARIES, pathOf("linux-arm64")] });
  });

  test("run on musl and connect to a server", async (ctx) => {
    const reason = whyNoMusl();
    if (reason !== undefined && process.env.CI === "true") throw new Error(reason);
    ctx.skip(reason !== undefined, reason);
    const program = pathOf("linux-x64-musl");
    const env = { LD_LIBRARY_PATH: await muslCxx(program, made.path) };
    await connects({ command: [MUSL_LOADER, program], env });
  });
});

/** Whether an agent says its version, and a backend sees it come. */
async function connects(program: AgentProgram): Promise<void> {
  const version = await runCli(["--version"], "", program);
  expect(version).toMatchObject({ code: 0, stdout: expect.stringMatching(/^rport-agent \d/) });
  await using backend = await startBackend();
  const { password } = await backend.api("createCredential", { body: { id: "fleet" } });
  const client = { fingerprint: backend.fingerprint, auth: `fleet:${password}`, id: "far" };
  await using agent = await spawnAgent({ server: backend.url, client }, program);
  await eventually(async () => {
    const status = await backend.api("getStatus");
    expect(status.clients_connected, agent.log()).toBe(1);
  }, ONLINE_MS);
  expect(await backend.api("listClients")).toMatchObject([{ id: "far" }]);
}
