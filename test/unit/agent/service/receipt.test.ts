import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { prefixLayout, systemLayout } from "../../../../agent/src/machine/posix/layouts.ts";
import { SHELL_WRAPPER } from "../../../../agent/src/machine/posix/wrapper.ts";
import { findSelf, runCommand } from "../../../../agent/src/machine/self.ts";
import { readReceipt, renderReceipt, withPlaced } from "../../../../agent/src/service/receipt.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";

test("a receipt is believed only about the prefix and what is above it", async () => {
  await using directory = await tempDirectory();
  const prefix = join(directory.path, "rport");
  await mkdir(prefix);
  const above = [directory.path, prefix];
  const others = [join(prefix, "bin"), "/etc", join(directory.path, "b"), "srv"];
  const text = renderReceipt({ directories: [...above, ...others], files: {} });
  await writeFile(join(prefix, "install.json"), text);
  const found = await readReceipt(join(prefix, "install.json"));
  expect(found).toMatchObject({ kind: "ours", receipt: { directories: above } });
});

test("S-34: a receipt is ours by its mark and its form; a missing one is none", async () => {
  await using directory = await tempDirectory();
  const file = join(directory.path, "install.json");
  expect(await readReceipt(file)).toEqual({ kind: "none" });
  const ours = renderReceipt({ directories: [], files: { a: ["0".repeat(64)] } });
  await writeFile(file, ours);
  expect((await readReceipt(file)).kind).toBe("ours");
  const others = ["", "{", "null", '{"version":2}', ours.slice(0, -3), ours.replace(":2", ":3")];
  for (const text of [...others, ours.replace("{", '{"more":1,'), ours.replace("00", "")]) {
    await writeFile(file, text);
    expect(await readReceipt(file)).toEqual({ kind: "foreign" });
  }
});

test("what is about to be placed is named beside what was placed before", () => {
  const files = withPlaced({ a: ["1", "2"], b: ["3"] }, { a: "2", c: "4" });
  expect(files).toEqual({ a: ["2", "1"], b: ["3"], c: ["4"] });
});

test("an executable is started by itself, a bundle by its Node", () => {
  const layout = systemLayout();
  const executable = findSelf({ execPath: "/tmp/x/a", argv: ["bun", "x"], versions: { bun: "1" } });
  expect(executable).toEqual({ kind: "executable", file: "/tmp/x/a" });
  const run = ["run", "-c", "/etc/rport/rport.conf"];
  expect(runCommand(layout, executable)).toEqual(["/usr/local/bin/rport-agent", ...run]);
  const facts = { execPath: "/usr/bin/node", argv: ["node", "/tmp/agent.cjs"], versions: {} };
  const bundle = ["/usr/bin/node", "/usr/local/lib/rport/agent.cjs"];
  expect(runCommand(layout, findSelf(facts))).toEqual([...bundle, ...run]);
});

test("the wrapper for Node is quoted for the shell", () => {
  const text = SHELL_WRAPPER.render(prefixLayout("/home/it's me/rport"), "/opt/my node/bin/node");
  expect(text).toBe(
    `#!/bin/sh\nexec '/opt/my node/bin/node' '/home/it'\\''s me/rport/lib/agent.cjs' "$@"\n`,
  );
});
