import { readdir, readFile, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { LogOutput } from "@rport/protocol/logOutput";
import { describe, expect, it } from "vitest";
import { openLogFile } from "../../../../backend/src/platform/logFile.ts";
import { FakeClock } from "../../../support/clock.ts";
import { eventually } from "../../../support/eventually.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";

const MIB = 1 << 20;

/** A log's output in a file, whose standard error is kept. */
function open(path: string) {
  const stderr = new PassThrough();
  const clock = new FakeClock();
  const failures: string[] = [];
  const openFile = () => openLogFile(path);
  const output = new LogOutput({ openFile, stderr, maxBytes: 200 * MIB, clock });
  output.start({
    onDropped: () => undefined,
    onFileFailed: ({ message }) => failures.push(message),
  });
  return { output, clock, failures, toStderr: () => String(stderr.read() ?? "") };
}

async function write(path: string, lines: readonly string[]): Promise<void> {
  const file = open(path);
  for (const line of lines) file.output.write(line);
  await file.output.close();
}

describe("the log file", () => {
  it("takes lines behind those that are there, and only its owner reads it", async () => {
    await using scratch = await tempDirectory();
    const path = join(scratch.path, "rport.log");
    await write(path, ["one"]);
    await write(path, ["two", "three"]);
    expect(await readFile(path, "utf8")).toBe("one\ntwo\nthree\n");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it("begins anew after 10 MB, and keeps five old ones", async () => {
    await using scratch = await tempDirectory();
    const path = join(scratch.path, "rport.log");
    await write(
      path,
      Array.from({ length: 81 }, (_, n) => `${n}`.padEnd(MIB, "x")),
    );
    const old = [1, 2, 3, 4, 5].map((n) => `rport.log.${n}`);
    expect((await readdir(scratch.path)).sort()).toEqual(["rport.log", ...old]);
    expect((await readFile(path, "utf8")).slice(0, 3)).toBe("80x");
    expect((await readFile(`${path}.1`, "utf8")).slice(0, 3)).toBe("70x");
    expect((await stat(`${path}.1`)).mode & 0o777).toBe(0o600);
  });

  it("that is a link is written to where it points, and stays one", async () => {
    await using scratch = await tempDirectory();
    const [path, target] = [join(scratch.path, "rport.log"), join(scratch.path, "elsewhere")];
    await writeFile(target, "");
    await symlink(target, path);
    await write(path, ["one"]);
    expect(await readFile(target, "utf8")).toBe("one\n");
  });

  it("that cannot be written stops nobody: lines go to standard error, and later to the file again", async () => {
    await using scratch = await tempDirectory();
    const folder = join(scratch.path, "folder");
    await writeFile(folder, "");
    const { output, clock, failures, toStderr } = open(join(folder, "rport.log"));
    output.write("one");
    await eventually(() => expect(failures.length).toBe(1));
    output.write("two");
    expect(failures[0]).toContain("ENOTDIR");
    await eventually(() => expect(toStderr()).toBe("one\ntwo\n"));
    await rm(folder);
    clock.advance(30_000);
    output.write("three");
    await output.close();
    expect(await readFile(join(folder, "rport.log"), "utf8")).toBe("three\n");
  });

  it("is opened anew under its name after somebody else has renamed it", async () => {
    await using scratch = await tempDirectory();
    const path = join(scratch.path, "rport.log");
    const { output } = open(path);
    output.write("one");
    await eventually(async () => expect(await readFile(path, "utf8")).toBe("one\n"));
    await rename(path, `${path}.old`);
    output.write("two");
    const reopened = output.reopen();
    output.write("three");
    await reopened;
    output.write("four");
    await output.close();
    expect(await readFile(`${path}.old`, "utf8")).toBe("one\ntwo\n");
    expect(await readFile(path, "utf8")).toBe("three\nfour\n");
  });
});
