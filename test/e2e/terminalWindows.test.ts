import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RunningBackend } from "../support/backend/backend.ts";
import { tempDirectory } from "../support/tempDirectory.ts";
import type { HostTerminals } from "../support/vscode/hostTerminals.ts";
import { photographFailures, type RportEditor } from "../support/vscode/rport.ts";
import { SLOW_MS } from "../support/vscode/slow.ts";
import { openTerminalFleet } from "../support/vscode/terminalFleet.ts";
import { Workbench } from "../support/vscode/workbench.ts";

const GONE_ON = "Session ended: It goes on in another window.";

/** A terminal outlives the process that showed it, and is in one window at a time. */
describe("a terminal of a host", () => {
  const resources = new AsyncDisposableStack();
  let backend: RunningBackend;
  let rport: RportEditor;
  let workbench: Workbench;
  let terminals: HostTerminals;
  let second: Workbench;
  /** What the shell writes. */
  let folder: string;

  beforeAll(async () => {
    folder = resources.use(await tempDirectory()).path;
    const fleet = await openTerminalFleet(resources, [{ name: "web-01" }]);
    ({ backend, rport, workbench, terminals } = fleet);
  });

  afterAll(() => resources.disposeAsync());
  photographFailures(() => workbench, " first");
  photographFailures(() => second, " second");

  test("comes back once when the extension host was killed in mid-session", async () => {
    const { terminal } = workbench;
    await rport.clients.rowAction("web-01", "Open Terminal");
    await terminal.rows.filter({ hasText: /[$#]/ }).waitFor({ timeout: SLOW_MS });
    await terminal.type("clear; kept=before; for n in 1 2 3; do echo row-$n; done\n");
    await terminal.shows("row-3");
    process.kill(await workbench.inHost(() => process.pid), "SIGKILL");
    await workbench.reload();
    await workbench.inHost(() => process.pid);
    await terminals.show("web-01");
    await terminal.shows("row-3");
    await terminal.type(`echo again-$kept >> ${folder}/again\n`);
    await written("again", "again-before\n");
    expect((await terminal.text()).match(/^row-2$/gm)).toHaveLength(1);
    expect(await backend.api("listTerminals")).toHaveLength(1);
    await workbench.screenshot("terminal-after-kill");
  });

  test("goes on in a second window of its folder, and comes back on Enter", async () => {
    const { terminal } = workbench;
    const { server, browser } = rport.editor;
    second = new Workbench(server, await browser.context.newPage());
    await second.open();
    // it may be behind a shell of this computer, which the editor opens where it finds none yet
    const shown = second.terminal.rows.filter({ hasText: "row-3" });
    const entry = second.page.locator(".terminal-tabs-entry", { hasText: "web-01" });
    const isShown = async () => {
      if (await entry.isVisible()) await entry.click();
      return await shown.isVisible();
    };
    await expect.poll(isShown, { timeout: SLOW_MS }).toBe(true);
    await second.screenshot("terminal-second-window");
    await workbench.page.bringToFront();
    await terminal.shows(GONE_ON);
    await terminal.shows("Press Enter to have it back");
    await workbench.screenshot("terminal-gone-on");
    // keys right behind the end were still meant for the program, and do nothing
    const wanted = async () => {
      await terminal.type("\n");
      return second.terminal.text();
    };
    await expect.poll(wanted, { timeout: SLOW_MS, interval: 1_000 }).toContain(GONE_ON);
    await terminal.type(`echo mine-$kept >> ${folder}/mine\n`);
    await written("mine", "mine-before\n");
    expect(await backend.api("listTerminals")).toHaveLength(1);
    expect([...workbench.errors, ...second.errors]).toEqual([]);
  });

  async function written(name: string, text: string): Promise<void> {
    const read = () => readFile(join(folder, name), "utf8").catch(() => "");
    await expect.poll(read, { timeout: SLOW_MS }).toBe(text);
  }
});
