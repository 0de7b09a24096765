import { createHash } from "node:crypto";
import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { isManifestSigned } from "@rport/protocol/wire/manifestSignature";
import { serverKeyFromSeed, sha256Fingerprint } from "@rport/protocol/wire/serverKey";
import { describe, expect, it } from "vitest";
import { AgentFiles } from "../../../../backend/src/downloads/agentFiles.ts";
import { addAgent } from "../../../support/agents/addedAgent.ts";
import { fakeRelease } from "../../../support/agents/agentRelease.ts";
import { testLog } from "../../../support/log.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";

const KEY = serverKeyFromSeed("a seed of thirty-two characters!");
/** Longer than what is unpacked at once. */
const PROGRAM = "an executable\n".repeat(20_000);

const sha256Of = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

/** A release, and a place for executables beside it: `rport-agent-TARGET`. */
async function installed(missing: readonly string[] = ["linux-arm64", "windows-x64"]) {
  const temp = await tempDirectory();
  const directory = join(temp.path, "agent");
  const { version } = await fakeRelease(directory, { missing, isForWindows: true });
  const folderOf = (target: string) => join(temp.path, `rport-agent-${target}`);
  const installedTargets = new Set<string>();
  const { log, lines } = testLog();
  const sources = {
    directory,
    added: (target: string) => (installedTargets.has(target) ? folderOf(target) : undefined),
    toBuild: "Install it again.",
    toAdd: "npm install",
  };
  const add = (target: string, facts: { version?: string; script?: "ps1" } = {}) => {
    installedTargets.add(target);
    return addAgent(folderOf(target), { target, version, program: PROGRAM, ...facts });
  };
  return { temp, version, folderOf, add, lines, files: new AgentFiles(sources, KEY, log) };
}

describe("an agent that was installed beside the server", () => {
  it("is offered, named by the script and by the signed manifest", async () => {
    const { temp, files, add } = await installed();
    await using _ = temp;
    const line = await add("linux-arm64");
    const { script, manifest, signed } = await files.require();
    expect(files.targets).toEqual({ available: ["linux-arm64", "node"], missing: ["windows-x64"] });
    expect(script.toString()).toContain(`MANIFEST='${line}\nnode line'`);
    expect(manifest.scripts.sh.sha256).toBe(sha256Of(script));
    expect(files.scriptSha256).toBe(sha256Of(script));
    expect(JSON.parse(signed.text)).toEqual(manifest);
    const pinned = sha256Fingerprint(KEY.getPublicSSH());
    expect(isManifestSigned(Buffer.from(signed.text), signed.signature, pinned)).toBe(true);
  });

  it("brings the script of PowerShell when it is for Windows", async () => {
    const { temp, files, add } = await installed();
    await using _ = temp;
    const line = await add("windows-x64", { script: "ps1" });
    const { powershellScript, script } = await files.require();
    expect(powershellScript?.toString()).toContain(`$RportManifest = @'\n${line}\n`);
    expect(files.powershellSha256).toBe(sha256Of(powershellScript ?? Buffer.of()));
    expect(script.toString()).not.toContain("windows");
  });

  it("leaves that script out where there is nothing for Windows", async () => {
    const { temp, files, add } = await installed();
    await using _ = temp;
    await add("linux-arm64");
    const { powershellScript, manifest } = await files.require();
    expect([powershellScript, manifest.scripts.ps1]).toEqual([undefined, undefined]);
  });

  it("is sent packed, in parts, and as itself, as a whole", async () => {
    const { temp, version, files, add, folderOf } = await installed();
    await using _ = temp;
    await add("linux-arm64");
    const name = "rport-agent-linux-arm64";
    const packed = await files.find(version, `${name}.gz`);
    const content = await readFile(join(folderOf("linux-arm64"), `${name}.gz`));
    expect(packed).toMatchObject({ size: content.length, hasParts: true });
    expect(packed && Buffer.from(await text(packed.pieces(3, 5)))).toEqual(content.subarray(3, 5));
    const whole = await files.find(version, name);
    expect(whole).toMatchObject({ size: PROGRAM.length, hasParts: false });
    expect(whole && (await text(whole.pieces(0, whole.size)))).toBe(PROGRAM);
  });

  it("is not unpacked any further when whoever fetches it goes", async () => {
    const { temp, version, files, add } = await installed();
    await using _ = temp;
    await add("linux-arm64");
    const whole = await files.find(version, "rport-agent-linux-arm64");
    let taken = 0;
    for await (const piece of whole?.pieces(0, whole.size) ?? []) {
      taken += piece.length;
      break;
    }
    expect(taken).toBeGreaterThan(0);
    expect(taken).toBeLessThan(PROGRAM.length);
  });

  it("S-44: is not offered when it is of another version, which the log says", async () => {
    const { temp, version, files, add, lines } = await installed();
    await using _ = temp;
    await add("linux-arm64", { version: "9.9.9" });
    await files.current();
    expect(files.targets.available).toEqual(["node"]);
    const [told = ""] = lines.filter((line) => line.includes("another version"));
    expect(told).toContain("9.9.9");
    expect(told).toContain(version);
    expect(await files.find(version, "rport-agent-linux-arm64.gz")).toBeUndefined();
  });

  it.each([
    ["a copy is damaged", "rport-agent-linux-arm64.gz", "is damaged"],
    ["it is no description", "manifest.json", "manifest.json"],
  ])("is not offered when %s, and all else is", async (_name, file, reason) => {
    const { temp, files, add, lines, folderOf } = await installed();
    await using _ = temp;
    await add("linux-arm64");
    await add("windows-x64", { script: "ps1" });
    await appendFile(join(folderOf("linux-arm64"), file), "}");
    await files.current();
    expect(files.targets).toEqual({ available: ["windows-x64", "node"], missing: ["linux-arm64"] });
    const [told = ""] = lines.filter((line) => line.includes("cannot be used"));
    expect(told).toContain("linux-arm64");
    expect(told).toContain(reason === "manifest.json" ? "JSON" : reason);
  });

  it.each([
    ["a line that a shell would take for more", { line: "linux-arm64 1 x'; rm -rf /; '" }],
    ["another target", { target: "linux-x64" }],
    ["no copy that can be unpacked here", { packed: [] }],
  ])("is not offered with %s", async (_name, { line, target, packed }: Changed) => {
    const { temp, files, add, lines, folderOf } = await installed();
    await using _ = temp;
    await add("linux-arm64");
    const path = join(folderOf("linux-arm64"), "manifest.json");
    const described = JSON.parse(await readFile(path, "utf8"));
    described.line = line ?? described.line;
    described.file.target = target ?? described.file.target;
    described.file.packed = packed ?? described.file.packed;
    await writeFile(path, JSON.stringify(described));
    expect((await files.require()).script.toString()).not.toContain("linux-arm64");
    expect(lines.join("\n")).toContain("cannot be used");
  });
});

interface Changed {
  readonly line?: string;
  readonly target?: string;
  readonly packed?: readonly unknown[];
}
