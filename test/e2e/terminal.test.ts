import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { spawnAgent } from "../support/agents/agent.ts";
import { BUILT_AGENTS, builtAgent } from "../support/agents/builtAgent.ts";
import { type RunningBackend, startBackend } from "../support/backend/backend.ts";
import { MoodyProxy } from "../support/faults/moodyProxy.ts";
import { bareBash } from "../support/terminals/homeShell.ts";
import { openRport, photographFailures, type RportEditor } from "../support/vscode/rport.ts";
import { TERMINAL_COMMANDS } from "../support/vscode/terminal.ts";
import type { Workbench } from "../support/vscode/workbench.ts";

/** For what a window, a server and an agent need together on a busy machine. */
const SLOW_MS = 60_000;

/** Shells of hosts in terminals of the editor. */
describe("terminals on hosts", () => {
  const resources = new AsyncDisposableStack();
  const tried = new Set<string>();
  let backend: RunningBackend;
  let rport: RportEditor;
  let workbench: Workbench;
  /** Between db-01 and the server. */
  let way: MoodyProxy;

  beforeAll(async () => {
    backend = resources.use(await startBackend());
    const { password } = await backend.api("createCredential", { body: { id: "hosts" } });
    const { fingerprint } = backend;
    await builtAgent();
    way = resources.use(await MoodyProxy.start());
    way.target = backend.port;
    const agent = async (name: string, server: string, terminal: Record<string, unknown>) => {
      const client = { fingerprint, auth: `hosts:${password}`, id: name, name };
      const connection = { max_retry_interval: "1s" };
      const settings = { server, client, connection, terminal };
      resources.use(await spawnAgent(settings, BUILT_AGENTS.at(-1)?.program));
    };
    const { shell } = resources.use(await bareBash());
    await agent("web-01", backend.url, { enabled: true, shell });
    await agent("db-01", way.url, { enabled: true, shell });
    await agent("shy-01", backend.url, {});
    const settings = { "rport.servers": [{ name: "Local Backend", url: "local" }] };
    rport = resources.use(await openRport(backend.dataDir, { settings }));
    workbench = rport.workbench;
    for (const name of ["web-01", "db-01", "shy-01"]) {
      await rport.clients.row(name).waitFor({ timeout: SLOW_MS });
    }
  });

  afterAll(() => resources.disposeAsync());
  photographFailures(() => workbench);

  test("open from the row of a host, take what is typed and show what comes", async () => {
    const { terminal } = workbench;
    await rport.clients.rowAction("web-01", "Open Terminal");
    await run("echo $((40 + 2))-$TERM-$COLORTERM", "42-xterm-256color-truecolor");
    await run("tty && stty size", /\/dev\/pts\/\d+\s*\d+ \d+/);
    await terminal.type("echo über\n");
    await terminal.shows("über");
    await workbench.screenshot("terminal-open");
  });

  test("take a long paste whole", async () => {
    const text = `${"0123456789abcdef".repeat(64).slice(1)}\n`.repeat(1_024);
    await run(`stty -echo; head -c ${text.length} | sha256sum; stty echo`, "sha256sum");
    await send(text);
    const sum = createHash("sha256").update(text).digest("hex");
    await workbench.terminal.rows.filter({ hasText: sum }).waitFor({ timeout: SLOW_MS });
  });

  test("stop at once, on the screen, too, when a flood is interrupted", async () => {
    const { terminal, page } = workbench;
    await run("clear; seq 1 1000000000", /\d{6}/);
    await page.keyboard.press("Control+C");
    await terminal.type("clear; echo still-$((1 + 1))\n");
    await terminal.shows("still-2");
  });

  test("are several at once, each with its own shell", async () => {
    const { quickInput } = workbench;
    await palette("Open Terminal");
    await quickInput.title("Open a terminal on which client?").waitFor();
    await quickInput.pick("db-01");
    await expect.poll(shown, { timeout: SLOW_MS }).toBe("db-01");
    await run("where=db-$$; echo on-$where", /on-db-\d+/);
    expect(await names()).toEqual(["web-01", "db-01"]);
    await workbench.screenshot("terminal-several");
  });

  test("are not opened by the editor's own list when no host is chosen, which is no error", async () => {
    const { quickInput } = workbench;
    const count = () => workbench.inHost((vscode) => vscode.window.terminals.length);
    const before = await count();
    await workbench.inHost((vscode) => {
      void vscode.commands.executeCommand("workbench.action.terminal.newWithProfile");
    });
    await quickInput.pick("RPort Host...");
    await quickInput.title("Open a terminal on which client?").waitFor();
    const gone = await workbench.inHost(
      (vscode) =>
        new Promise<string>((resolve) => {
          vscode.window.onDidCloseTerminal(({ name }) => resolve(name));
          void vscode.commands.executeCommand("workbench.action.closeQuickOpen");
        }),
    );
    expect(gone).toBe("RPort");
    expect(await count()).toBe(before);
    expect(await workbench.toast("terminal profile").count()).toBe(0);
    await show("db-01");
  });

  test("go on in the same shell when the way to the host was cut", async () => {
    const { terminal } = workbench;
    await run("kept=before-the-cut", "");
    way.turn("silent");
    await expect.poll(names, { timeout: SLOW_MS }).toContain("db-01 (reconnecting...)");
    await workbench.page.getByText("The connection to db-01 was lost").first().waitFor();
    await terminal.type("echo typed-meanwhile-$kept\n");
    await workbench.screenshot("terminal-cut");
    way.turn("fair");
    await terminal.shows("typed-meanwhile-before-the-cut");
    await expect.poll(names, { timeout: SLOW_MS }).toEqual(["web-01", "db-01"]);
    await workbench.screenshot("terminal-after-cut");
  });

  test("are found again by a window that is reloaded, with what was on their screens", async () => {
    const { terminal } = workbench;
    await workbench.reload();
    await workbench.inHost(() => process.pid);
    await expect.poll(names, { timeout: SLOW_MS }).toEqual(["web-01", "db-01"]);
    await show("db-01");
    await terminal.shows("before-the-cut");
    await run("echo again-$kept", "again-before-the-cut");
    await workbench.screenshot("terminal-reloaded");
  });

  test("say why they ended, and start again on Enter", async () => {
    const { page } = workbench;
    await run("exit 3", "Session ended: The shell ended with exit code 3.");
    await workbench.screenshot("terminal-ended");
    // keys right behind the end were still meant for the program, and do nothing
    const begun = async () => {
      await page.keyboard.press("Enter");
      return await workbench.terminal.text();
    };
    const prompt = /any other key to close\.\s+\S*[$#]/;
    await expect.poll(begun, { timeout: SLOW_MS, interval: 1_000 }).toMatch(prompt);
    await run("echo new-$kept-", "new--");
    await run("exit", "");
    await expect.poll(names, { timeout: SLOW_MS }).toEqual(["web-01"]);
  });

  test("end at the host when their terminal is closed", async () => {
    expect(await held()).toBe(1);
    await show("web-01");
    await workbench.command("Terminal: Kill the Active Terminal Instance");
    await expect.poll(held, { timeout: SLOW_MS }).toBe(0);
    expect(await names()).toEqual([]);
    await workbench.openContainer("RPort");
  });

  test("are refused with the reason, and how to allow them", async () => {
    const { page } = workbench;
    await rport.clients.contextMenu("shy-01", "Open Terminal");
    const dialog = workbench.dialog("shy-01: This host allows no terminals.");
    await dialog.getByText("enabled = true").waitFor();
    await workbench.screenshot("terminal-not-allowed");
    await workbench.answerDialog("shy-01: This host allows no terminals.", "Copy Lines");
    await expect.poll(() => workbench.clipboard()).toBe("[terminal]\nenabled = true\n");
    await rport.clients.contextMenu("shy-01", "Open Terminal");
    await workbench.answerDialog("shy-01: This host allows no terminals.", "Open Tunnel to SSH");
    await page.keyboard.press("Escape");
    expect(workbench.errors).toEqual([]);
  });

  test("are tried with every command that there is", () => {
    expect([...tried]).toEqual(TERMINAL_COMMANDS);
  });

  async function palette(title: string): Promise<void> {
    tried.add(title);
    await workbench.command(`RPort: ${title}`);
  }

  /** Types a command, and waits for what it puts out. */
  async function run(line: string, output: string | RegExp): Promise<void> {
    const { terminal } = workbench;
    await terminal.rows.filter({ hasText: /[$#]/ }).waitFor({ timeout: SLOW_MS });
    await terminal.type(`${line}\n`);
    await terminal.shows(output);
  }

  /** Gives the editor's terminal an input, as a paste does. */
  function send(text: string): Promise<void> {
    return workbench.inHost(async (vscode, sent) => {
      vscode.window.activeTerminal?.sendText(sent, false);
    }, text);
  }

  /** The terminals of hosts in the window: the editor puts a shell of its own where it finds none. */
  function names(): Promise<readonly string[]> {
    return workbench.inHost((vscode) =>
      vscode.window.terminals.flatMap(({ name }) => (name.includes("-01") ? [name] : [])),
    );
  }

  function shown(): Promise<string | undefined> {
    return workbench.inHost((vscode) => vscode.window.activeTerminal?.name);
  }

  async function show(name: string): Promise<void> {
    await workbench.inHost((vscode, wanted) => {
      vscode.window.terminals.find((each) => each.name === wanted)?.show();
    }, name);
    await expect.poll(shown, { timeout: SLOW_MS }).toBe(name);
  }

  /** Terminals that hosts have. */
  async function held(): Promise<number> {
    return (await backend.api("listTerminals", {})).length;
  }
});
