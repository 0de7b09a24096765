import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RunningBackend } from "../support/backend/backend.ts";
import { MoodyProxy } from "../support/faults/moodyProxy.ts";
import { tempDirectory } from "../support/tempDirectory.ts";
import { photographFailures } from "../support/vscode/rport.ts";
import { SLOW_MS } from "../support/vscode/slow.ts";
import { MANY_TERMINALS_COMMANDS } from "../support/vscode/terminal.ts";
import { openTerminalFleet, type TerminalFleet } from "../support/vscode/terminalFleet.ts";

const GROUP_COMMAND = "Open Terminals on Hosts of Group";
const TAGS = { tags: ["prod"] } as const;
const MEMBERS = ["db-01", "web-01", "web-02"] as const;
/** Prints what a terminal is asked by `x`, and writes down what it is sent. */
const ASKING = `while IFS= read -rsn1 k; do printf %q "$k" >> $D/answers; [ "$k" = x ] && printf '\\e[c\\e[6n'; [ -z "$k" ] && break; done`;

/** Terminals of many hosts at once, and what is typed into all of them. */
describe("terminals of several hosts", () => {
  const resources = new AsyncDisposableStack();
  const tried = new Set<string>();
  let fleet: TerminalFleet;
  /** Between db-01 and the server. */
  let way: MoodyProxy;
  /** What the shells write. */
  let folder: string;

  beforeAll(async () => {
    folder = resources.use(await tempDirectory()).path;
    way = resources.use(await MoodyProxy.start());
    const shy = { name: "shy-01", ...TAGS, terminal: { enabled: false } } as const;
    const behind = (server: RunningBackend) => {
      way.target = server.port;
      return way.url;
    };
    const db = { name: "db-01", ...TAGS, server: behind } as const;
    const rest = ["gone-01", "web-01", "web-02"].map((name) => ({ name, ...TAGS }));
    fleet = await openTerminalFleet(resources, [db, shy, ...rest, { name: "lab-01" }]);
    await fleet.agents.get("gone-01")?.[Symbol.asyncDispose]();
    await fleet.rport.clients.row("Offline").waitFor({ timeout: SLOW_MS });
  });

  afterAll(() => resources.disposeAsync());
  photographFailures(() => fleet.workbench);

  test("are opened for a group side by side, and it is said which hosts give none", async () => {
    const { quickInput, page } = fleet.workbench;
    await fleet.workbench.command("RPort: Group Clients By...");
    await quickInput.pick("Tag");
    // until they are in groups, each of them has its tag in its row
    await fleet.rport.clients.row("Untagged").waitFor();
    await fleet.rport.clients.contextMenu("prod", GROUP_COMMAND);
    await fleet.workbench
      .toast("No terminal on gone-01 (offline); shy-01 (not allowed there).")
      .waitFor();
    await fleet.terminals.are(...MEMBERS);
    await expect.poll(() => page.locator(".terminal-split-pane").count()).toBe(MEMBERS.length);
    for (const name of MEMBERS) await prompts(name);
    await fleet.workbench.screenshot("terminals-of-group");
    await fleet.workbench.clearToasts();
  });

  test("are asked for from the palette, by their group", async () => {
    const { quickInput } = fleet.workbench;
    await palette(GROUP_COMMAND);
    await quickInput.title("Open terminals on the hosts of which group?").waitFor();
    await quickInput.rows("prod").waitFor();
    await fleet.workbench.screenshot("terminals-which-group");
    await quickInput.cancel();
  });

  test("S-58: begin to be typed into together only when somebody has agreed", async () => {
    await fleet.terminals.show("web-01");
    // as another extension would
    await fleet.workbench.inHost((vscode) => {
      void vscode.commands.executeCommand("rport.terminal.typeIntoAll");
    });
    const dialog = fleet.workbench.dialog("Type into 3 hosts at once?");
    await dialog.getByText("db-01, web-01, web-02").waitFor();
    await fleet.workbench.screenshot("type-into-all-asked");
    await fleet.workbench.answerDialog("Type into 3 hosts at once?", "Cancel");
    expect(await mode().count()).toBe(0);
  });

  test("get one line together, and then each its own again", async () => {
    const { page } = fleet.workbench;
    await typeIntoAll();
    await expect.poll(() => mode().innerText()).toContain("Typing into 3 hosts");
    await fleet.terminals.are(...MEMBERS.map((name) => `All: ${name}`));
    await page.keyboard.type(`tty >> ${folder}/ttys`);
    await fleet.workbench.screenshot("type-into-all");
    await page.keyboard.press("Enter");
    await expect.poll(() => lines("ttys")).toHaveLength(MEMBERS.length);
    expect(new Set(await lines("ttys")).size).toBe(MEMBERS.length);
    await mode().waitFor({ state: "detached" });
    await fleet.terminals.are(...MEMBERS);
    await page.keyboard.type(`tty >> ${folder}/ttys\n`);
    await expect.poll(() => lines("ttys")).toHaveLength(MEMBERS.length + 1);
  });

  test("S-58: keep to themselves what they answer to a program of theirs", async () => {
    const { page } = fleet.workbench;
    await fleet.terminals.send("web-01", `D=${folder}; echo r >> $D/asking; ${ASKING}\r`);
    for (const name of ["db-01", "web-02"]) {
      await fleet.terminals.send(
        name,
        `echo r >> ${folder}/asking; head -n1 | cat -v > ${folder}/${name}\r`,
      );
    }
    await expect.poll(() => lines("asking")).toHaveLength(MEMBERS.length);
    await typeIntoAll();
    await page.keyboard.press("x");
    // where the cursor is comes last
    await expect.poll(() => read("answers"), { timeout: SLOW_MS }).toMatch(/\[\\?\?1.*R/s);
    expect(await mode().count()).toBe(1);
    await page.keyboard.press("Enter");
    for (const name of ["db-01", "web-02"]) {
      await expect.poll(() => read(name), { timeout: SLOW_MS }).toBe("x\n");
    }
  });

  test("are asked about before several lines are pasted into all", async () => {
    const { page } = fleet.workbench;
    await typeIntoAll();
    const text = `echo one >> ${folder}/pasted\necho two >> ${folder}/pasted`;
    await fleet.terminals.paste(text);
    const question = "Paste 2 lines into 3 hosts?";
    await fleet.workbench.dialog(question).waitFor();
    await fleet.workbench.screenshot("type-into-all-paste");
    await fleet.workbench.answerDialog(question, "Paste Into All");
    await fleet.terminals.show("web-01");
    await page.keyboard.press("Enter");
    const pasted = MEMBERS.flatMap(() => ["one", "two"]);
    await expect.poll(async () => [...(await lines("pasted"))].sort()).toEqual(pasted.sort());
    await mode().waitFor({ state: "detached" });
  });

  test("are for themselves again when one is cut off, which is said", async () => {
    const { page } = fleet.workbench;
    await typeIntoAll();
    await page.keyboard.type("echo half");
    way.turn("silent");
    await fleet.workbench
      .toast("Typing into all has ended: db-01 is reconnecting")
      .waitFor({ timeout: SLOW_MS });
    await mode().waitFor({ state: "detached" });
    await fleet.workbench.screenshot("type-into-all-lost");
    await palette("Type Into All...");
    await fleet.workbench.dialog("Not connected now: db-01.").waitFor();
    await fleet.workbench.answerDialog(
      "Not all of these terminals are connected.",
      "Choose Others...",
    );
    await fleet.workbench.quickInput.title("Type into which terminals at once?").waitFor();
    await fleet.workbench.quickInput.rows("not connected").waitFor();
    await fleet.workbench.screenshot("type-into-all-which");
    await page.keyboard.press("Enter");
    await fleet.workbench.answerDialog("Type into 2 hosts at once?", "Type Into All");
    await expect.poll(() => mode().innerText()).toContain("Typing into 2 hosts");
    await mode().click();
    await mode().waitFor({ state: "detached" });
    way.turn("fair");
    await fleet.terminals.are(...MEMBERS);
  });

  test("are for themselves again when the keys go to another terminal, and by the palette", async () => {
    await typeIntoAll();
    await palette("Stop Typing Into All");
    await mode().waitFor({ state: "detached" });
    await fleet.terminals.show("web-01");
    await typeIntoAll();
    await fleet.workbench.inHost((vscode) => vscode.window.createTerminal("other").show());
    await fleet.workbench.toast("you went to another terminal").waitFor();
    await mode().waitFor({ state: "detached" });
    expect((await fleet.backend.api("listTerminals", {})).length).toBe(MEMBERS.length);
  });

  test("are tried with every command that there is, without a script error", () => {
    expect([...tried]).toEqual(MANY_TERMINALS_COMMANDS);
    expect(fleet.workbench.errors).toEqual([]);
  });

  /** The status bar item that is there as long as the mode is. */
  function mode() {
    return fleet.workbench.statusItem("rport.rport", "rport.typingIntoAll");
  }

  async function palette(title: string): Promise<void> {
    tried.add(title);
    await fleet.workbench.command(`RPort: ${title}`);
  }

  /** Begins the mode for the whole split. */
  async function typeIntoAll(): Promise<void> {
    await fleet.terminals.show("web-01");
    await palette("Type Into All...");
    await fleet.workbench.answerDialog("Type into 3 hosts at once?", "Type Into All");
    await mode().waitFor();
    await fleet.terminals.show("web-01");
  }

  async function prompts(name: string): Promise<void> {
    await fleet.terminals.send(name, `echo $((1 + 1)) >> ${folder}/${name}.up\r`);
    await expect.poll(() => read(`${name}.up`), { timeout: SLOW_MS }).toBe("2\n");
  }

  async function read(name: string): Promise<string> {
    return await readFile(join(folder, name), "utf8").catch(() => "");
  }

  async function lines(name: string): Promise<readonly string[]> {
    return (await read(name)).split("\n").filter(Boolean);
  }
});
