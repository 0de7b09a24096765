import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { prefixLayout, systemLayout } from "../../../../agent/src/service/layout.ts";
import { readReceipt, renderReceipt } from "../../../../agent/src/service/receipt.ts";
import { findSelf, renderWrapper, runCommand } from "../../../../agent/src/service/self.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";

test("a receipt is believed only about the prefix and what is above it", async () => {
  await using directory = await tempDirectory();
  const file = join(directory.path, "install.json");
  const listed = ["/srv", "/srv/a", "/srv/a/rport", "/srv/a/rport/bin", "/etc", "/srv/b", "srv"];
  await writeFile(file, renderReceipt(listed));
  const receipt = await readReceipt(file, "/srv/a/rport");
  expect(receipt?.directories).toEqual(["/srv", "/srv/a", "/srv/a/rport"]);
});

test("a damaged receipt still says that the directory is ours; a missing one does not", async () => {
  await using directory = await tempDirectory();
  const file = join(directory.path, "install.json");
  expect(await readReceipt(file, directory.path)).toBeUndefined();
  for (const text of ["", "{", '{"version":2}', "null"]) {
    await writeFile(file, text);
    expect(await readReceipt(file, directory.path)).toEqual({ version: 1, directories: [] });
  }
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
  const text = renderWrapper(prefixLayout("/home/it's me/rport"), "/opt/my node/bin/node");
  expect(text).toBe(
    `#!/bin/sh\nexec '/opt/my node/bin/node' '/home/it'\\''s me/rport/lib/agent.cjs' "$@"\n`,
  );
});
