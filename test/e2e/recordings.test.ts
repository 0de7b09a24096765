import { readFile, stat, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { readCastLine } from "@rport/protocol/terminal/asciicast";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { tempDirectory } from "../support/tempDirectory.ts";
import { endedRecordings } from "../support/terminals/recordings.ts";
import { photographFailures } from "../support/vscode/rport.ts";
import { SLOW_MS } from "../support/vscode/slow.ts";
import { RECORDING_COMMANDS } from "../support/vscode/terminal.ts";
import { openTerminalFleet, type TerminalFleet } from "../support/vscode/terminalFleet.ts";

/** All hosts of the test call themselves as this computer; the editor has other names for them. */
const PLAYED = "web-01 (recording)";
const NOTICE = "The server records what this terminal shows, not what is typed.";

/** Terminals of a server that records all of them. */
describe("recordings of terminals", () => {
  const resources = new AsyncDisposableStack();
  const tried = new Set<string>();
  let fleet: TerminalFleet;
  let files: string;

  beforeAll(async () => {
    const hosts = [{ name: "web-01" }, { name: "db-01" }];
    fleet = await openTerminalFleet(resources, hosts, { recordsTerminals: true });
    files = resources.use(await tempDirectory()).path;
  });

  afterAll(() => resources.disposeAsync());
  photographFailures(() => fleet.workbench);

  test("say that there are none, and how there would be", async () => {
    await command("Save Recording...");
    const dialog = fleet.workbench.dialog("There are no recordings of terminals here.");
    await dialog.getByText("record = true").waitFor();
    await fleet.workbench.page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
  });

  test("S-63 are announced in the terminal and in its name when it opens", async () => {
    const { terminal } = fleet.workbench;
    await open("web-01");
    // the answers of the terminal are read, of which the last one ends with "c"
    await terminal.type(
      "echo seen-$((40 + 2)); printf '\\033[5n\\033[c'; read -rsd c; echo read-$((40 + 2))\n",
    );
    await terminal.shows("seen-42");
    await terminal.shows("read-42");
    await fleet.workbench.screenshot("recording-announced");
    await terminal.type("exit 0\n");
    await endedRecordings(fleet.backend, 1);
  });

  test("S-66 are played, with what was on the screen, and type nothing anywhere", async () => {
    const { terminal } = fleet.workbench;
    const typed = join(files, "typed");
    await open("db-01");
    // each byte that comes is in the file at once
    await terminal.type(`stty raw -echo; cat > ${typed}\n`);
    await expect.poll(() => readFile(typed, "utf8"), { timeout: SLOW_MS }).toBe("");
    await play();
    await terminal.type("8");
    await expect.poll(shown, { timeout: SLOW_MS }).toContain("8 times as fast");
    await terminal.shows("seen-42");
    await terminal.shows("The recording is over.");
    await fleet.workbench.screenshot("recording-played");
    await fleet.workbench.page.keyboard.press("ArrowUp");
    await expect.poll(playing, { timeout: SLOW_MS }).toEqual([]);
    await fleet.terminals.show("db-01");
    await terminal.type("end");
    await expect.poll(() => readFile(typed, "utf8"), { timeout: SLOW_MS }).toBe("end");
    expect(fleet.workbench.errors).toEqual([]);
  });

  test("S-66 are closed in the middle at once", async () => {
    const { terminal } = fleet.workbench;
    await play();
    await terminal.type(" ");
    await expect.poll(shown, { timeout: SLOW_MS }).toContain("(paused)");
    await terminal.type("q");
    await expect.poll(playing, { timeout: SLOW_MS }).toEqual([]);
  });

  test("S-66 are saved in a file that its owner alone reads", async () => {
    const { quickInput } = fleet.workbench;
    const path = join(files, "one.cast");
    await writeFile(path, "of before", { mode: 0o644 });
    await command("Save Recording...");
    await quickInput.title("Save which recording?").waitFor();
    // that of db-01 is the other one
    await quickInput.pick(/^(?!.*still open)/s);
    await expect.poll(() => quickInput.input.inputValue()).toMatch(/\.cast$/);
    await quickInput.input.fill(path);
    await quickInput.rows("one.cast").waitFor();
    await fleet.workbench.page.keyboard.press("Enter");
    await quickInput.widget.getByText("already exists").waitFor();
    await fleet.workbench.page.keyboard.press("Enter");
    await fleet.workbench.said("The recording was saved.");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const lines = (await readFile(path, "utf8")).trimEnd().split("\n").map(readCastLine);
    expect(lines[0]).toMatchObject({ kind: "header" });
    const output = lines.flatMap((line) => (line?.kind === "output" ? line.text : []));
    expect(output.join("")).toContain("seen-42");
  });

  test("are tried with every command that there is", () => {
    expect([...tried].sort()).toEqual([...RECORDING_COMMANDS].sort());
  });

  /** A terminal of a host, once its shell has a prompt. */
  async function open(name: string): Promise<void> {
    const { terminal } = fleet.workbench;
    await fleet.rport.clients.rowAction(name, "Open Terminal");
    await terminal.shows(NOTICE);
    await expect.poll(shown, { timeout: SLOW_MS }).toBe(`${name} (recorded)`);
    await terminal.rows.filter({ hasText: /[$#]/ }).waitFor({ timeout: SLOW_MS });
  }

  /** Begins to play the one recording of web-01. */
  async function play(): Promise<void> {
    const { terminal, quickInput } = fleet.workbench;
    await fleet.rport.clients.contextMenu("web-01", "Play Recording...");
    tried.add("Play Recording...");
    await quickInput.title("Play which recording?").waitFor();
    await quickInput.pick(` on web-01 (${hostname()}) as `);
    await expect.poll(shown, { timeout: SLOW_MS }).toContain(PLAYED);
    await terminal.shows("Space: pause and go on.");
  }

  async function command(title: string): Promise<void> {
    tried.add(title);
    await fleet.workbench.command(`RPort: ${title}`);
  }

  /** Terminals that play one. */
  function playing(): Promise<readonly string[]> {
    return fleet.workbench.inHost(
      (vscode, played) =>
        vscode.window.terminals.flatMap(({ name }) => (name.includes(played) ? [name] : [])),
      PLAYED,
    );
  }

  function shown(): Promise<string | undefined> {
    return fleet.terminals.active();
  }
});
