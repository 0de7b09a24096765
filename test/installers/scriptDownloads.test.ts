import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { fakes, isThere, only, runInstaller, TOKEN } from "../support/installer/runInstaller.ts";
import {
  type Packing,
  stubAgent,
  stubBundle,
  stubRelease,
} from "../support/installer/stubRelease.ts";
import { openTerminal } from "../support/installer/terminal.ts";

const NAME = "rport-agent-linux-x64";
const BASICS =
  "sh cat chmod ls mktemp rm wc head tail grep uname id sed env getconf ldd sleep sha256sum";
const DASH = ["/bin/dash"];

/** A stub that is so long, incompressible, and packed in some ways. */
const packedIn = (packed: readonly Packing[], bytes = 0) => {
  return (directory: string) => {
    let noise = "";
    for (let n = 0; noise.length < bytes; n++) {
      noise += `# ${createHash("sha512").update(String(n)).digest("base64")}\n`;
    }
    const content = stubAgent(directory, { before: noise });
    return [{ target: "linux-x64", name: NAME, content, packed }];
  };
};

describe("the way of the executable", () => {
  test.each([
    ["xz", ["xz", "zstd", "gzip"], "xz"],
    ["zstd", ["zstd", "gzip"], "zst"],
    ["gzip", ["gzip"], "gz"],
    ["none of them", [], undefined],
  ])("on a host that has %s it is packed so", async (_, tools, expected) => {
    await using release = await stubRelease(packedIn(["xz", "zst", "gz"]));
    const path = await only(release, [...BASICS.split(" "), "curl", ...tools]);
    const result = await runInstaller(release, ["--token-stdin"], { shell: DASH, path });
    expect(result).toMatchObject({ code: 0, left: [] });
    const suffix = expected === undefined ? "" : `.${expected}`;
    expect(release.requests).toEqual([expect.stringMatching(new RegExp(`/${NAME}${suffix}$`))]);
    expect((await release.call())?.stdin).toBe(TOKEN);
  });

  test.each<[string, Buffer]>([
    ["is another program", gzipSync("#!/bin/sh\nexit 0\n")],
    ["is no archive", Buffer.from("nothing that was ever packed")],
  ])("S-07: status 6 when what is in the archive %s", async (_, wrong) => {
    await using release = await stubRelease(packedIn(["gz"]));
    const right = release.served.get(`${NAME}.gz`)?.length ?? 0;
    release.served.set(`${NAME}.gz`, Buffer.concat([wrong, Buffer.alloc(right)], right));
    const result = await runInstaller(release, ["--token-stdin"]);
    expect(result).toMatchObject({ code: 6, left: [], stderr: expect.stringContaining(NAME) });
    expect(await release.call()).toBeUndefined();
  });

  test("S-07: an archive that unpacks to too much is stopped at the size that was promised", async () => {
    // A gigabyte of zeros in as many bytes as the right archive has.
    const bomb = gzipSync(Buffer.alloc(1 << 29));
    await using release = await stubRelease(packedIn(["gz"], bomb.length * 2));
    const right = release.served.get(`${NAME}.gz`)?.length ?? 0;
    expect(right).toBeGreaterThan(bomb.length);
    release.served.set(`${NAME}.gz`, Buffer.concat([bomb], right));
    const seen = join(release.directory, "called", "sizes");
    const rm = `for each; do [ ! -f "$each" ] || wc -c "$each" >>'${seen}'; done; ls -l "$TMPDIR"/* >>'${seen}'; exec /bin/rm "$@"`;
    const path = await fakes(release, { rm });
    const result = await runInstaller(release, ["--token-stdin"], { path });
    expect(result).toMatchObject({ code: 6, left: [], stderr: expect.stringContaining(NAME) });
    const sizes = (await readFile(seen, "utf8")).match(/\d+(?= \w{3} )/g)?.map(Number) ?? [];
    expect(Math.max(...sizes)).toBeGreaterThan(right);
    expect(Math.max(...sizes)).toBeLessThan(4 * right);
    expect(await release.call()).toBeUndefined();
  });

  test.for(["curl", "wget", "busybox wget"])(
    "%s goes on where it was cut off",
    async (tool, ctx) => {
      ctx.skip(!isThere([tool]), `${tool} is not installed`);
      await using release = await stubRelease(packedIn([], 900_000));
      release.trouble.cutAfter = 250_000;
      const sleeps = await fakes(release, { sleep: "exit 0", ...busyboxWget(tool) });
      const tools = await only(release, [...BASICS.split(" "), tool.split(" ")[0] ?? ""]);
      const path = `${sleeps.split(":")[0]}:${tools}`;
      const result = await runInstaller(release, ["--token-stdin"], { shell: DASH, path });
      expect(result).toMatchObject({ code: 0, left: [] });
      expect(release.requests).toHaveLength(4);
      expect((await release.call())?.stdin).toBe(TOKEN);
    },
  );

  test.each(["curl", "wget"])("an endless answer is cut off, by %s", async (tool) => {
    await using release = await stubRelease();
    release.served.set(NAME, Buffer.alloc(64 << 20));
    const sleeps = await fakes(release, { sleep: "exit 0" });
    const tools = await only(release, [...BASICS.split(" "), tool]);
    const path = `${sleeps.split(":")[0]}:${tools}`;
    const result = await runInstaller(release, ["--token-stdin"], { shell: DASH, path });
    expect(result).toMatchObject({ code: 6, left: [], stderr: expect.stringContaining(NAME) });
    expect(await release.call()).toBeUndefined();
  });

  test("is shown on a terminal, and only there", async () => {
    await using release = await stubRelease(packedIn([], 300_000));
    const quiet = await runInstaller(release, ["--token-stdin"]);
    expect(quiet.stderr).not.toContain("#");
    const token = join(release.directory, "token");
    await writeFile(token, TOKEN);
    const prefix = join(release.directory, "p");
    const args = ["--server", release.url, "--prefix", prefix, "--token-file", token];
    await using terminal = openTerminal(["dash", release.script, ...args]);
    expect(await terminal.ended).toBe(0);
    expect(terminal.shown).toMatch(/#+.*100[.,]0%/);
  });
});

describe("the script", () => {
  test("has 20.2 kB at the most, with every target in it", async () => {
    const { targets } = await import(
      new URL("../../scripts/lib/agent/targets.mjs", import.meta.url).href
    );
    const names: string[] = [...targets, "node"];
    await using release = await stubRelease(() =>
      names.map((target) => ({
        target,
        name: `rport-agent-${target}`,
        content: target,
        packed: ["xz", "gz"],
      })),
    );
    // What real sizes have more of: digits.
    expect((await stat(release.script)).size + names.length * 20).toBeLessThanOrEqual(20_200);
    expect(await readFile(release.script, "utf8")).not.toContain("windows");
  });
});

describe("--package", () => {
  test.each<[Packing | ""]>([[""], ["gz"], ["xz"], ["zst"]])(
    "installs from a file of this release without any download (%s)",
    async (way) => {
      await using release = await stubRelease(packedIn(["gz", "xz", "zst"]));
      const name = way === "" ? NAME : `${NAME}.${way}`;
      const file = join(release.directory, name);
      await writeFile(file, release.served.get(name) ?? "");
      const result = await runInstaller(release, ["--token-stdin", "-z", file]);
      expect(result).toMatchObject({ code: 0, left: [] });
      expect(release.requests).toEqual([]);
      expect((await release.call())?.stdin).toBe(TOKEN);
    },
  );

  test("takes a file of another release by its hash, and no other file", async () => {
    await using release = await stubRelease();
    const file = join(release.directory, "brought");
    const content = stubAgent(release.directory).replace("rport-agent 9.8.7", "rport-agent 9.9.9");
    await writeFile(file, content);
    const hash = createHash("sha256").update(content).digest("hex");
    const unknown = await runInstaller(release, ["--token-stdin", "--package", file]);
    expect(unknown).toMatchObject({ code: 6, left: [] });
    const wrong = ["--token-stdin", "--package", file, `--sha256=${"0".repeat(64)}`];
    expect(await runInstaller(release, wrong)).toMatchObject({ code: 6, left: [] });
    expect(await release.call()).toBeUndefined();
    const right = ["--token-stdin", "--package", file, "--sha256", hash];
    expect(await runInstaller(release, right)).toMatchObject({ code: 0, left: [] });
    expect((await release.call())?.args.slice(0, 2)).toEqual(["install", "--token-stdin"]);
    expect(release.requests).toEqual([]);
  });

  test("takes the bundle, too, and runs it by Node", async () => {
    await using release = await stubRelease();
    const file = join(release.directory, "agent.cjs.gz");
    const content = gzipSync(stubBundle(release.directory));
    await writeFile(file, content);
    const hash = createHash("sha256").update(content).digest("hex");
    const args = ["--token-stdin", "--package", file, "--sha256", hash];
    expect(await runInstaller(release, args)).toMatchObject({ code: 0, left: [] });
    expect(await release.call()).toMatchObject({ environment: "run by node", stdin: TOKEN });
  });

  test.each<[string, "evil" | "pipe", boolean]>([
    ["another program, checked by its hash", "evil", true],
    ["a pipe, checked by its hash", "pipe", true],
    ["another program, checked as one of this release", "evil", false],
  ])(
    "runs what was checked, and not what it became since: %s",
    async (_, other, hasHash) => {
      await using release = await stubRelease();
      const { directory } = release;
      const file = join(directory, "brought");
      const content = stubAgent(directory);
      await writeFile(file, content);
      await writeFile(
        join(directory, "evil"),
        stubAgent(directory, { before: `: >${directory}/ran` }),
      );
      execFileSync("mkfifo", [join(directory, "pipe")]);
      // Whoever may write beside the file exchanges it at the moment at which its hash is known.
      const exchange = `mv ${directory}/${other} ${file} 2>/dev/null`;
      const path = await fakes(release, { sha256sum: `/usr/bin/sha256sum\n${exchange}\nexit 0` });
      const hash = createHash("sha256").update(content).digest("hex");
      const args = ["--token-stdin", "--package", file, ...(hasHash ? ["--sha256", hash] : [])];
      expect(await runInstaller(release, args, { path })).toMatchObject({ code: 0, left: [] });
      const names = await readdir(directory);
      expect(names).not.toContain(other);
      expect(names).not.toContain("ran");
      expect((await release.call())?.stdin).toBe(TOKEN);
    },
    20_000,
  );

  test.each(["", "gz"])(
    "says that there is no room, and not that it cannot be read (%s)",
    async (way) => {
      const before = `# ${"a".repeat(200_000)}`;
      await using release = await stubRelease((directory) => [
        {
          target: "linux-x64",
          name: NAME,
          content: stubAgent(directory, { before }),
          packed: ["gz"],
        },
      ]);
      const name = way === "" ? NAME : `${NAME}.${way}`;
      const file = join(release.directory, name);
      await writeFile(file, release.served.get(name) ?? "");
      // In blocks of 512 bytes; a tool that goes beyond is told, and not ended.
      const shell = ["sh", "-c", "trap '' XFSZ; ulimit -f 200; exec dash \"$@\"", "sh"];
      const result = await runInstaller(release, ["--token-stdin", "-z", file], { shell });
      expect(result).toMatchObject({ code: 1, left: [] });
      expect(result.stderr).toContain("File too large");
      expect(result.stderr).toContain("Cannot write to /");
      expect(await release.call()).toBeUndefined();
    },
  );

  test("keeps no copy of the file once it is unpacked", async () => {
    await using release = await stubRelease((directory) => {
      const content = stubAgent(directory, { before: `ls "$TMPDIR" >${directory}/called/work` });
      return [{ target: "linux-x64", name: NAME, content }];
    });
    const file = join(release.directory, NAME);
    await writeFile(file, release.served.get(NAME) ?? "");
    const result = await runInstaller(release, ["--token-stdin", "-z", file]);
    expect(result).toMatchObject({ code: 0, left: [] });
    const work = await readFile(join(release.directory, "called", "work"), "utf8");
    expect(work.split("\n")).toContain(NAME);
    expect(work.split("\n")).not.toContain("in");
  });

  test.each([
    ["a file that is not there", ["--package", "/nowhere"], "cannot be read"],
    ["a device that never ends", ["--package", "/dev/zero"], "cannot be read"],
    ["a folder", ["--package", "/usr"], "cannot be read"],
    ["an address", ["--package", "https://example.com/agent"], "Fetch it first"],
    ["a hash alone", ["--sha256", "0".repeat(64)], "needs --package"],
    ["something else as hash", ["--package", "/bin/sh", "--sha256", "abc!"], "64 digits"],
    ["half a hash", ["--package", "/bin/sh", "--sha256", "0123"], "64 digits"],
  ])("with %s is status 2", async (_, args, sentence) => {
    await using release = await stubRelease();
    const result = await runInstaller(release, ["--token-stdin", ...args]);
    expect(result).toMatchObject({ code: 2, left: [], stderr: expect.stringContaining(sentence) });
  });
});

/** BusyBox's wget under the name by which the script looks for one. */
function busyboxWget(tool: string): Record<string, string> {
  return tool === "busybox wget" ? { wget: 'exec /bin/busybox wget "$@"' } : {};
}
