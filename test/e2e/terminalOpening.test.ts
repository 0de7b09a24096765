import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HostTerminals } from "../support/vscode/hostTerminals.ts";
import { photographFailures, type RportEditor } from "../support/vscode/rport.ts";
import { SLOW_MS } from "../support/vscode/slow.ts";
import { openTerminalFleet } from "../support/vscode/terminalFleet.ts";
import type { Workbench } from "../support/vscode/workbench.ts";

/** Only an agent of root has other accounts. */
const isRoot = process.getuid?.() === 0;
const ACCOUNTS = { accounts: ["root", "games"] };
const AS_WHOM = "Open a terminal on db-01 as whom?";

/** The ways to terminals, beside the one from a host's row. */
describe("terminals are opened", () => {
  const resources = new AsyncDisposableStack();
  let rport: RportEditor;
  let workbench: Workbench;
  let terminals: HostTerminals;

  beforeAll(async () => {
    const hosts = [{ name: "db-01", terminal: ACCOUNTS }, { name: "web-01" }, { name: "web-02" }];
    ({ rport } = await openTerminalFleet(resources, hosts));
    workbench = rport.workbench;
    terminals = new HostTerminals(workbench);
  });

  afterAll(() => resources.disposeAsync());
  photographFailures(() => workbench);

  test.skipIf(!isRoot)("as one of a host's accounts, the one of last time first", async () => {
    const { quickInput } = workbench;
    await rport.clients.rowAction("db-01", "Open Terminal");
    await quickInput.title(AS_WHOM).waitFor();
    expect(await choices()).toEqual(["root, usual", "games"]);
    await quickInput.pick("games");
    await runs("db-01", "echo as-$(id -un)-", "as-games-");
    await terminals.are("db-01 (games)");
    await rport.clients.rowAction("db-01", "Open Terminal");
    await quickInput.title(AS_WHOM).waitFor();
    expect(await choices()).toEqual(["games", "root, usual"]);
    await workbench.screenshot("terminal-as-whom");
    await quickInput.cancel();
    await terminals.are("db-01 (games)");
    await close();
  });

  test("from the list of the editor's terminals", async () => {
    const { quickInput } = workbench;
    await workbench.inHost((vscode) => {
      void vscode.commands.executeCommand("workbench.action.terminal.newWithProfile");
    });
    await quickInput.pick("RPort Host...");
    await quickInput.title("Open a terminal on which client?").waitFor();
    await quickInput.pick("web-01");
    await terminals.are("web-01");
    // the panel need not be open
    await terminals.show("web-01");
    await runs("web-01", "echo up-$((1 + 1))", "up-2");
    await close();
  });

  test("side by side on the clients that are selected, each as whoever it was last time", async () => {
    const { clients } = rport;
    await clients.row("db-01").click();
    await clients.row("web-02").click({ modifiers: ["Shift"] });
    await clients.contextMenu("web-01", "Open Terminal");
    const db = isRoot ? "db-01 (games)" : "db-01";
    await terminals.are(db, "web-01", "web-02");
    const panes = workbench.page.locator(".terminal-split-pane");
    await expect.poll(() => panes.count(), { timeout: SLOW_MS }).toBe(3);
    await workbench.screenshot("terminals-of-selection");
    expect(workbench.errors).toEqual([]);
  });

  /** What can be chosen, with what is said of it. */
  async function choices(): Promise<readonly string[]> {
    return await workbench.quickInput
      .rows()
      .evaluateAll((rows) => rows.map((row) => row.getAttribute("aria-label") ?? ""));
  }

  async function runs(name: string, line: string, output: string): Promise<void> {
    await expect.poll(() => terminals.active(), { timeout: SLOW_MS }).toContain(name);
    const { terminal } = workbench;
    await terminal.rows.filter({ hasText: /[$#]/ }).waitFor({ timeout: SLOW_MS });
    await terminal.type(`${line}\n`);
    await terminal.shows(output);
  }

  async function close(): Promise<void> {
    await workbench.command("Terminal: Kill the Active Terminal Instance");
    await terminals.are();
    await workbench.openContainer("RPort");
  }
});
