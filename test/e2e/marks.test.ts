import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { spawnAgent } from "../support/agents/agent.ts";
import { BUILT_AGENTS, builtAgent } from "../support/agents/builtAgent.ts";
import { startBackend } from "../support/backend/backend.ts";
import { bareBash } from "../support/terminals/homeShell.ts";
import { openRport, photographFailures, type RportEditor } from "../support/vscode/rport.ts";
import type { Workbench } from "../support/vscode/workbench.ts";

/** For what a window, a server and an agent need together on a busy machine. */
const SLOW_MS = 60_000;
/** What the editor told of commands that ended, and of the terminal. */
const ENDED = "rportEnded";

/** What of a command the editor tells. */
interface EndedCommand {
  readonly line: string;
  readonly isTrusted: boolean;
  readonly confidence: number;
  readonly code: number | undefined;
}

/** Commands in terminals on hosts as the editor knows them. */
describe("marks of shells on hosts", () => {
  const resources = new AsyncDisposableStack();
  let rport: RportEditor;
  let workbench: Workbench;

  beforeAll(async () => {
    const backend = resources.use(await startBackend());
    const { password } = await backend.api("createCredential", { body: { id: "hosts" } });
    await builtAgent();
    const { fingerprint, url: server } = backend;
    const client = { fingerprint, auth: `hosts:${password}`, id: "web-01", name: "web-01" };
    const { shell } = resources.use(await bareBash());
    const terminal = { enabled: true, shell };
    const settings = { server, client, terminal };
    resources.use(await spawnAgent(settings, BUILT_AGENTS.at(-1)?.program));
    const servers = [{ name: "Local Backend", url: "local" }];
    rport = resources.use(
      await openRport(backend.dataDir, { settings: { "rport.servers": servers } }),
    );
    workbench = rport.workbench;
    await rport.clients.row("web-01").waitFor({ timeout: SLOW_MS });
    await listen();
  });

  afterAll(() => resources.disposeAsync());
  photographFailures(() => workbench);

  test("tell the editor each command, its code and its folder", async () => {
    const { terminal } = workbench;
    await rport.clients.rowAction("web-01", "Open Terminal");
    await expect.poll(isIntegrated, { timeout: SLOW_MS }).toBe(true);
    await terminal.type("cd /usr\n");
    await expect.poll(folder, { timeout: SLOW_MS }).toBe("/usr");
    await terminal.type("(exit 3)\n");
    await expect
      .poll(ended, { timeout: SLOW_MS })
      .toContainEqual({ line: "(exit 3)", isTrusted: true, confidence: 2, code: 3 });
    await terminal.type("ls\n");
    await expect
      .poll(ended, { timeout: SLOW_MS })
      .toContainEqual({ line: "ls", isTrusted: true, confidence: 2, code: 0 });
    const decorations = workbench.page.locator(".terminal-command-decoration");
    await decorations.nth(2).waitFor();
    expect(await workbench.page.locator(".terminal-command-decoration.error").count()).toBe(1);
    await workbench.screenshot("terminal-marks");
  });

  test("let extensions run commands, and read what they put out", async () => {
    const output = await workbench.inHost(async (vscode) => {
      const shell = vscode.window.activeTerminal?.shellIntegration;
      let text = "";
      const execution = shell?.executeCommand("echo from-$((40 + 2))");
      for await (const piece of execution?.read() ?? []) text += piece;
      return text;
    });
    expect(output).toContain("from-42");
  });

  test("S-67 take nothing that a program writes for a command that was typed", async () => {
    const { terminal } = workbench;
    const faked = String.raw`printf '\e]633;E;rm -rf faked;guessed\a'; (exit 7)`;
    await terminal.type(`${faked}\n`);
    await expect
      .poll(async () => (await ended()).filter(({ code }) => code === 7), { timeout: SLOW_MS })
      .toMatchObject([{ isTrusted: false }]);
  });

  test("list commands that were run, and are there in a window that is reloaded", async () => {
    const { quickInput, page, terminal } = workbench;
    await terminal.type("seq 1 60000\n");
    await terminal.shows("60000");
    await workbench.reload();
    await workbench.inHost(() => process.pid);
    await listen();
    await expect.poll(isIntegrated, { timeout: SLOW_MS }).toBe(true);
    await workbench.inHost((vscode) => {
      vscode.window.terminals.find(({ name }) => name === "web-01")?.show();
    });
    await terminal.shows("60000");
    await terminal.type("(exit 9)\n");
    await expect
      .poll(ended, { timeout: SLOW_MS })
      .toContainEqual({ line: "(exit 9)", isTrusted: true, confidence: 2, code: 9 });
    expect(await terminal.text()).not.toMatch(/633|;[0-9A-Za-z_-]{22}/);
    await workbench.command("Terminal: Run Recent Command...");
    await quickInput.rows("(exit 9)").first().waitFor();
    await workbench.screenshot("terminal-recent-commands");
    await page.keyboard.press("Escape");
    expect(workbench.errors).toEqual([]);
  });

  async function listen(): Promise<void> {
    await workbench.inHost((vscode, name) => {
      const list: unknown[] = [];
      Reflect.set(globalThis, name, list);
      vscode.window.onDidEndTerminalShellExecution(({ exitCode: code, execution }) => {
        const { value: line, isTrusted, confidence } = execution.commandLine;
        list.push({ line, isTrusted, confidence, code });
      });
    }, ENDED);
  }

  function ended(): Promise<readonly EndedCommand[]> {
    return workbench.inHost(
      (_, name) => Reflect.get(globalThis, name) as readonly EndedCommand[],
      ENDED,
    );
  }

  function isIntegrated(): Promise<boolean> {
    return workbench.inHost((vscode) =>
      vscode.window.terminals.some(
        ({ name, shellIntegration }) => name === "web-01" && shellIntegration !== undefined,
      ),
    );
  }

  function folder(): Promise<string | undefined> {
    return workbench.inHost((vscode) => vscode.window.activeTerminal?.shellIntegration?.cwd?.path);
  }
});
