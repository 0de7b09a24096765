import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { spawnAgent } from "../support/agents/agent.ts";
import { BUILT_AGENTS, builtAgent } from "../support/agents/builtAgent.ts";
import { type RunningBackend, startBackend } from "../support/backend/backend.ts";
import { endedRecordings } from "../support/terminals/recordings.ts";
import { openRport, photographFailures, type RportEditor } from "../support/vscode/rport.ts";
import { RECORDING_COMMANDS } from "../support/vscode/terminal.ts";
import type { Workbench } from "../support/vscode/workbench.ts";

/** For what a window, a server and an agent need together on a busy machine. */
const SLOW_MS = 60_000;
const NOTICE = "The server records what this terminal shows, not what is typed.";

/** Terminals of a server that records all of them. */
describe("recordings of terminals", () => {
  const resources = new AsyncDisposableStack();
  const tried = new Set<string>();
  let backend: RunningBackend;
  let rport: RportEditor;
  let workbench: Workbench;

  beforeAll(async () => {
    backend = resources.use(await startBackend({ recordsTerminals: true }));
    const { password } = await backend.api("createCredential", { body: { id: "hosts" } });
    const { fingerprint } = backend;
    await builtAgent();
    const client = { fingerprint, auth: `hosts:${password}`, id: "web-01", name: "web-01" };
    const terminal = { enabled: true, shell: "/bin/bash" };
    const agent = { server: backend.url, client, terminal };
    resources.use(await spawnAgent(agent, BUILT_AGENTS.at(-1)?.program));
    const settings = { "rport.servers": [{ name: "Local Backend", url: "local" }] };
    rport = resources.use(await openRport(backend.dataDir, { settings }));
    workbench = rport.workbench;
    await rport.clients.row("web-01").waitFor({ timeout: SLOW_MS });
  });

  afterAll(() => resources.disposeAsync());
  photographFailures(() => workbench);

  test("say that there are none, and how there would be", async () => {
    await command("Save Recording...");
    const dialog = workbench.dialog("There are no recordings of terminals here.");
    await dialog.getByText("record = true").waitFor();
    await workbench.page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
  });

  test("S-63 are announced in the terminal and in its name when it opens", async () => {
    const { terminal } = workbench;
    await rport.clients.rowAction("web-01", "Open Terminal");
    await terminal.shows(NOTICE);
    await expect.poll(shown, { timeout: SLOW_MS }).toBe("web-01 (recorded)");
    await terminal.rows.filter({ hasText: /[$#]/ }).waitFor({ timeout: SLOW_MS });
    await terminal.type("echo seen-$((40 + 2)); printf '\\033[5n\\033[c'\n");
    await terminal.shows("seen-42");
    await workbench.screenshot("recording-announced");
    await terminal.type("\u0003exit 0\n");
    await endedRecordings(backend, 1);
  });

  test("S-66 are played, with what was on the screen, and type nothing anywhere", async () => {
    const { terminal, quickInput } = workbench;
    await rport.clients.contextMenu("web-01", "Play Recording...");
    tried.add("Play Recording...");
    await quickInput.title("Play which recording?").waitFor();
    await quickInput.pick(/on web-01 as/);
    await expect.poll(shown, { timeout: SLOW_MS }).toContain("web-01 (recording)");
    await terminal.shows("Space: pause and go on.");
    await terminal.type("8");
    await expect.poll(shown, { timeout: SLOW_MS }).toContain("8 times as fast");
    await terminal.shows("seen-42");
    await terminal.shows("The recording is over.");
    await workbench.screenshot("recording-played");
    await terminal.type("q");
    expect(await backend.api("listTerminals")).toEqual([]);
    expect(workbench.errors).toEqual([]);
  });

  test("are tried with every command that there is", () => {
    expect([...tried].sort()).toEqual([...RECORDING_COMMANDS].sort());
  });

  async function command(title: string): Promise<void> {
    tried.add(title);
    await workbench.command(`RPort: ${title}`);
  }

  function shown(): Promise<string | undefined> {
    return workbench.inHost((vscode) => vscode.window.activeTerminal?.name);
  }
});
