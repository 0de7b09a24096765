import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { tempDirectory } from "../support/tempDirectory.ts";
import { HostTerminals } from "../support/vscode/hostTerminals.ts";
import { photographFailures } from "../support/vscode/rport.ts";
import { SLOW_MS } from "../support/vscode/slow.ts";
import { openTerminalFleet } from "../support/vscode/terminalFleet.ts";
import type { Workbench } from "../support/vscode/workbench.ts";

/** A name, the clipboard, and a text that turns the direction of writing, as a hostile program writes them. */
const HOSTILE = `\\e]0;\\u202Eevil\\a\\e]2;evil\\a\\e]52;c;${btoa("evil")}\\a\\u202E\\n`;
/** More than ways and queues hold, and less than is refused. */
const PASTE_BYTES = 1 << 20;
const SIZES = [480, 900, 620, 760, 540, 820, 700];
const STORM = 40;
const WINDOW = { width: 1_280, height: 800 } as const;

/** What happens to terminals while they are used. */
describe("a terminal of a host", () => {
  const resources = new AsyncDisposableStack();
  let workbench: Workbench;
  let terminals: HostTerminals;
  /** What the shell writes. */
  let folder: string;

  beforeAll(async () => {
    folder = resources.use(await tempDirectory()).path;
    const fleet = await openTerminalFleet(resources, [{ name: "web-01" }]);
    workbench = fleet.rport.workbench;
    terminals = new HostTerminals(workbench);
    await fleet.rport.clients.rowAction("web-01", "Open Terminal");
    await workbench.terminal.rows.filter({ hasText: /[$#]/ }).waitFor({ timeout: SLOW_MS });
  });

  afterAll(() => resources.disposeAsync());
  photographFailures(() => workbench);

  test("stops at Ctrl+C right behind a long paste, of which nothing is run", async () => {
    const { terminal, page } = workbench;
    await terminal.type(`echo begun > ${folder}/begun; sleep 1000\n`);
    await expect.poll(() => read("begun"), { timeout: SLOW_MS }).toBe("begun\n");
    const line = `echo pasted >> ${folder}/pasted\r`;
    await terminals.send("web-01", line.repeat(PASTE_BYTES / line.length));
    // the system of the host echoes what it takes: the paste is under way
    await terminal.shows("echo pasted");
    await page.keyboard.press("Control+C");
    await terminal.type(`clear; echo back > ${folder}/back\n`);
    await expect.poll(() => read("back"), { timeout: SLOW_MS }).toBe("back\n");
    expect(await read("pasted")).toBe("");
  });

  test("is as large at its host as in the window after many changes of its size", async () => {
    const { terminal, page } = workbench;
    await terminal.type("seq 1 20000\n");
    for (let n = 0; n < STORM; n += 1) {
      const height = SIZES[n % SIZES.length] ?? WINDOW.height;
      await page.setViewportSize({ width: height + 500, height });
    }
    await page.setViewportSize(WINDOW);
    await terminal.shows("20000");
    const size = async () => {
      await terminal.type(`stty size > ${folder}/size\n`);
      await expect.poll(() => read("size")).not.toBe("");
      return Number((await read("size")).split(" ")[0]);
    };
    await expect
      .poll(async () => (await size()) - (await terminal.rows.locator("> div").count()))
      .toBe(0);
  });

  test("gives a program neither its name nor the clipboard, and answers it once", async () => {
    const { terminal, page } = workbench;
    await page.evaluate(() => navigator.clipboard.writeText("mine"));
    await terminal.type(`clear; printf '${HOSTILE}'\n`);
    await terminal.type(
      `printf '\\e[6n'; IFS= read -rsd R at; printf %q "$at" > ${folder}/at; read -t 1 -rsn1 more; echo "<$more>" >> ${folder}/at\n`,
    );
    await expect.poll(() => read("at"), { timeout: SLOW_MS }).toMatch(/^\$'\\E\[\d+;\d+'<>\n$/);
    await terminals.are("web-01");
    expect(await workbench.clipboard()).toBe("mine");
    await workbench.screenshot("terminal-hostile-program");
    expect(workbench.errors).toEqual([]);
  });

  async function read(name: string): Promise<string> {
    return await readFile(join(folder, name), "utf8").catch(() => "");
  }
});
