import { spawn } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { marksFor } from "../../../../agent/src/machine/posix/marks.ts";
import { eventually } from "../../../support/eventually.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";

const PATIENT = { timeout: 60_000 };
const NONCE = "nonce-of-one-terminal";
const FOLDER = `folder=$(echo "$2" | grep -o '/tmp/rport[.][A-Za-z0-9]*' | head -n 1)`;
/** What may be `/bin/sh` of a host. */
const SHELLS = ["/bin/sh", "/bin/bash", "/bin/mksh", "/bin/posh", "/bin/busybox sh"];
const isRunnable = process.platform !== "win32";

/** A shell that says it is of a version and then does this, begun with marks. */
async function begin(options: {
  readonly name: "zsh" | "fish";
  readonly version: string;
  readonly does: string;
  /** What `sleep` does. */
  readonly sleep?: string;
  readonly sh?: string;
}) {
  await using opened = new AsyncDisposableStack();
  const { path } = opened.use(await tempDirectory());
  const bin = join(path, "bin");
  await mkdir(bin);
  const put = (name: string, script: string) =>
    writeFile(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const { name, version, does, sleep = "", sh = "/bin/sh" } = options;
  const asked = `if [ "$1" = --version ]; then echo '${version}'; exit; fi`;
  await put(name, `${asked}\ncd '${path}'\n${does}`);
  await put("sleep", `cd '${path}'\n${sleep}`);
  // Where it is a program, its arguments are in the list of processes.
  await put("printf", `echo "$*" >>'${path}/arguments'\nexec /usr/bin/printf "$@"`);
  const marks = marksFor(join(bin, name), NONCE);
  if (marks === undefined) throw new Error(`${name} has no marks`);
  const [file = "", ...words] = sh.split(" ");
  const script = `${marks.begin}exec "$@"`;
  const child = spawn(file, [...words, "-c", script, "sh", join(bin, name), "-l"], {
    env: { ...marks.env, HOME: path, PATH: `${bin}:/usr/bin:/bin` },
    stdio: ["pipe", "pipe", "inherit", "pipe"],
  });
  // All that was started has the last one, and what goes on behind the shell, too.
  const [stdin, stdout, , held] = child.stdio;
  if (stdin === null || stdout === null || !(held instanceof Readable)) throw new Error("no pipes");
  const ended = text(held);
  const resources = opened.move();
  return {
    path,
    env: marks.env,
    shown: text(stdout),
    ended,
    close: () => stdin.end(),
    [Symbol.asyncDispose]: async () => {
      stdin.end();
      await ended;
      await resources.disposeAsync();
    },
  };
}

describe.skipIf(!isRunnable)("the beginning of a shell that marks its commands", () => {
  it("S-67 keeps away from a folder that somebody else has made in place of its own", async () => {
    await using it = await begin({
      name: "fish",
      version: "fish, version 3.6.0",
      // Whatever waits for the shell goes on only when the other folder is there.
      does: `${FOLDER}
rm -rf "$folder"
mkdir "$folder"
echo theirs >"$folder/theirs"
touch over
echo "$folder"`,
      sleep: "until [ -e over ]; do :; done",
    });
    const folder = (await it.shown).trim();
    await it.ended;
    expect(await readFile(join(folder, "theirs"), "utf8")).toBe("theirs\n");
    await rm(folder, { recursive: true });
  });

  it("S-67 holds its folder for as long as the shell has not read it", PATIENT, async () => {
    await using it = await begin({
      name: "fish",
      version: "fish, version 3.6.0",
      does: `${FOLDER}\necho "$folder" >folder\nread -r line`,
      sleep: "echo >>sleeps",
    });
    await eventually(() => expect(statSync(join(it.path, "sleeps")).size).toBeGreaterThan(90));
    const folder = (await readFile(join(it.path, "folder"), "utf8")).trim();
    expect(existsSync(folder)).toBe(true);
    it.close();
    await it.ended;
    expect(existsSync(folder)).toBe(false);
  });

  it.each(SHELLS)("hands over its file, and no program its text, by %s", async (sh) => {
    if (!existsSync(sh.split(" ")[0] ?? "")) return;
    const does = `cat "$ZDOTDIR/.zshenv"\nrm -r "$ZDOTDIR"`;
    await using it = await begin({ name: "zsh", version: "zsh 5.9 (x)", does, sh });
    expect(await it.shown).toBe(`${it.env.RPORT_MARKS}\n`);
    expect(it.env.RPORT_MARKS).toContain(NONCE);
    expect(existsSync(join(it.path, "arguments"))).toBe(false);
  });

  it.each([
    ["4.3.17", false],
    ["5.0.8", false],
    ["5.2", false],
    ["5.3", true],
    ["5.3.1-test-1", true],
    ["5.9", true],
    ["5.10", true],
    ["6.0", true],
  ])("is there for Zsh from 5.3 on, not before: %s", async (version, isMarked) => {
    const does = `echo "\${ZDOTDIR+marked}"\nif [ -n "$ZDOTDIR" ]; then rm -r "$ZDOTDIR"; fi`;
    await using it = await begin({ name: "zsh", version: `zsh ${version} (x86_64)`, does });
    expect(await it.shown).toBe(isMarked ? "marked\n" : "\n");
  });
});
