import { spawn } from "node:child_process";
import { cp, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ENDPOINT_FILE } from "@rport/protocol/endpointFile";
import { isRunning } from "@rport/protocol/local/runningBackends";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  ListeningMemory,
  nearListening,
} from "../../extension/src/servers/localBackend/listening.ts";
import { LocalBackend } from "../../extension/src/servers/localBackend/localBackend.ts";
import { cardAddresses } from "../../extension/src/support/cardAddresses.ts";
import { systemClock } from "../../extension/src/support/clock.ts";
import type { Environment } from "../../extension/src/support/environment.ts";
import { TestApi } from "../support/backend/api.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/freePort.ts";
import { ROOT } from "../support/repository.ts";
import { tempDirectory } from "../support/tempDirectory.ts";
import { type Editor, openEditor } from "../support/vscode/editor.ts";
import { EMPTY_COMPUTER, HomeBackend } from "../support/vscode/emptyComputer.ts";
import type { Pane } from "../support/vscode/pane.ts";
import { photographFailures } from "../support/vscode/rport.ts";
import { ensureVsix } from "../support/vscode/vsix.ts";
import type { Workbench } from "../support/vscode/workbench.ts";

/** For what has to start, stop or connect something. */
const SLOW_MS = 60_000;
/** Larger, and the extension is not small any more. */
const VSIX_MAX_BYTES = 2_000_000;

/** Whether a tab shows an icon behind its name. */
function hasGlyphBehind(tab: Element): boolean {
  return [...tab.querySelectorAll(".monaco-icon-label, .monaco-icon-label *")].some((element) => {
    const { content, fontFamily } = getComputedStyle(element, "::after");
    return fontFamily.includes("codicon") && !["none", "normal", '""'].includes(content);
  });
}

/** An editor on a computer with nothing else of ours: the `.vsix`, and a home without any backend. */
describe("an editor on an empty computer", () => {
  const resources = new AsyncDisposableStack();
  let vsix: string;
  let editor: Editor;
  let workbench: Workbench;
  let clients: Pane;
  let backend: HomeBackend;

  beforeAll(async () => {
    vsix = await ensureVsix();
    editor = resources.use(await openEditor({ ...EMPTY_COMPUTER, vsix: [vsix] }));
    backend = resources.use(new HomeBackend(editor));
    workbench = editor.workbench;
    await workbench.openContainer("RPort");
    clients = workbench.pane("Clients");
  });

  afterAll(() => resources.disposeAsync());
  photographFailures(() => workbench);

  const status = () => workbench.statusItem("rport.rport", "rport.status");

  test("has an extension of less than two megabytes, the backend included", async () => {
    expect((await stat(vsix)).size).toBeLessThan(VSIX_MAX_BYTES);
  });

  test("starts the backend from the welcome, and shows its clients", async () => {
    const start = clients.welcome.getByRole("button", { name: "Start Local Backend" });
    await start.waitFor();
    await workbench.screenshot("local-welcome");
    await start.click();
    await clients.welcome.getByText("No clients yet").waitFor({ timeout: SLOW_MS });
    await status().getByText("0/0").waitFor();

    const { pid, installation, url, token } = await backend.endpoint();
    expect(installation).toBe("editor");
    expect((await stat(backend.dataDir)).mode & 0o777).toBe(0o700);
    for (const name of ["endpoint.json", "backend.log", "start.log"]) {
      expect((await stat(join(backend.dataDir, name))).mode & 0o777, name).toBe(0o600);
    }
    // a session of its own is not ended with the editor's
    const stats = await readFile(`/proc/${pid}/stat`, "utf8");
    expect(Number(stats.split(") ")[1]?.split(" ")[3])).toBe(pid);
    const { agent_targets: targets } = await new TestApi(url, token).call("getStatus");
    expect(targets?.available).toEqual(["node"]);
    expect(targets?.missing).toContain("linux-x64");
  });

  test("says on the install sheet what a host needs, where no executable came along", async () => {
    const access = workbench.pane("Client Access");
    await access.rowAction("First credential", "Install Client");
    const sheet = await workbench.webview("Waiting for the first connection");
    await sheet.getByText("on a host with Node.js 20 or newer").waitFor();
    await workbench.screenshot("local-sheet");
    await sheet.getByRole("button", { name: "Set the Server’s Address" }).click();
    await workbench.quickInput.title("Choose Address of Local Backend").waitFor();
    await workbench.quickInput.cancel();
  });

  test("finds it again after the window was reloaded, with the host that is there", async () => {
    const { pid } = await backend.endpoint();
    resources.use(await backend.join("web-01"));
    await clients.row("web-01").waitFor();
    await workbench.reload();
    await status().getByText("1/1").waitFor({ timeout: SLOW_MS });
    await workbench.openContainer("RPort");
    await clients.row("web-01").waitFor();
    expect((await backend.endpoint()).pid).toBe(pid);
    expect(isRunning(pid)).toBe(true);
  });

  test("shows its log, which nobody changes by mistake", async () => {
    await workbench.command("RPort: Show Local Backend Log");
    const text = workbench.page.locator(".editor-instance .view-lines");
    await text.getByText("listening").first().waitFor();
    const tab = workbench.page.locator(".tab.active", { hasText: "backend.log" });
    // the lock behind the name: before it is there, a key would still change the text
    await expect.poll(() => tab.evaluate(hasGlyphBehind)).toBe(true);
    await workbench.page.keyboard.type("x");
    await workbench.page.getByText("Editor is read-only because").first().waitFor();
    await workbench.screenshot("local-log");
    const { token } = await backend.endpoint();
    expect(await readFile(join(backend.dataDir, "backend.log"), "utf8")).not.toContain(token);
  });

  test("lets agents of other hosts in only at an address that was chosen from a list", async () => {
    const [card] = cardAddresses();
    const { pid, url } = await backend.endpoint();
    await workbench.command("RPort: Choose Address of Local Backend...");
    await workbench.quickInput.rows("Only this computer").getByText("as now").waitFor();
    await workbench.screenshot("local-addresses");
    if (card === undefined) {
      await workbench.quickInput.cancel();
      return;
    }
    await workbench.quickInput.pick(card.address);
    await workbench.dialog("Disconnected: 1 client (web-01).").waitFor();
    await workbench.screenshot("local-address-dialog");
    await workbench.answerDialog(`Restart Local Backend at ${card.address}?`, "Restart");
    await backend.becomesAnother(pid);
    const after = await backend.endpoint();
    const { port } = new URL(url);
    expect(after.url).toBe(`http://127.0.0.1:${port}`);
    const { connect_url: told } = await new TestApi(after.url, after.token).call("getStatus");
    expect(told).toEqual([expect.stringContaining(`:${port}`)]);
    expect(new URL(told[0] ?? "").hostname.replace(/^\[|\]$/g, "")).toBe(card.address);
    await status().getByText("0/1").waitFor({ timeout: SLOW_MS });

    await workbench.command("RPort: Choose Address of Local Backend...");
    await workbench.quickInput.pick("Only this computer");
    await workbench.answerDialog("Restart Local Backend at 127.0.0.1?", "Restart");
    await backend.becomesAnother(after.pid);
    await status().getByText("0/1").waitFor({ timeout: SLOW_MS });
  });

  test("stops it after a question that names what ends", async () => {
    resources.use(await backend.join("db-01"));
    await clients.row("db-01").waitFor({ timeout: SLOW_MS });
    const { pid } = await backend.endpoint();
    await workbench.command("RPort: Stop Local Backend...");
    await workbench.dialog("Disconnected: 1 client (db-01).").waitFor();
    await workbench.screenshot("local-stop");
    await workbench.answerDialog("Stop Local Backend?", "Stop");
    await eventually(() => expect(isRunning(pid)).toBe(false));
    expect(await readdir(backend.dataDir)).not.toContain("endpoint.json");
    await clients.message.getByText("Reconnecting to Local Backend").waitFor();
  });

  test("says why it does not start", async () => {
    const document = join(backend.dataDir, "rport.json");
    const whole = await readFile(document, "utf8");
    await writeFile(document, "{");
    await workbench.command("RPort: Start Local Backend");
    const toast = workbench.toast("The local backend did not start.");
    await toast.getByText("rport.json").waitFor({ timeout: SLOW_MS });
    await workbench.screenshot("local-failed");
    await workbench.clearToasts();
    await writeFile(document, whole);
  });

  test("offers a restart where one runs that an older extension started", async () => {
    const older = join(editor.server.folders.home, "older", "dist", "backend");
    await cp(join(ROOT, "extension", "dist", "backend"), older, { recursive: true });
    const main = join(older, "lib", "main.mjs");
    const text = await readFile(main, "utf8");
    await writeFile(main, text.replaceAll('"0.1.0"', '"0.0.9"'));
    const child = spawn(process.execPath, [main, "--data-dir", backend.dataDir, "--port", "0"], {
      stdio: "ignore",
      env: { HOME: editor.server.folders.home, PATH: process.env.PATH },
    });
    resources.defer(() => void child.kill("SIGKILL"));
    const toast = workbench.toast("The local backend is version 0.0.9; the extension brings 0.1.0");
    await toast.waitFor({ timeout: SLOW_MS });
    await workbench.screenshot("local-older");
    await toast.getByRole("button", { name: "Restart..." }).click();
    await workbench.answerDialog("Restart Local Backend?", "Restart");
    await backend.becomesAnother(child.pid);
    const { url, token } = await backend.endpoint();
    expect((await new TestApi(url, token).call("getStatus")).version).toBe("0.1.0");
    expect(workbench.errors).toEqual([]);
  });
});

describe("windows that start the backend at the same time", () => {
  let vsix: string;

  beforeAll(async () => {
    vsix = await ensureVsix();
  });

  /** A window's view of the computer, with this data directory and this port. */
  function windowOn(dataDir: string, port: number): LocalBackend {
    const environment: Environment = {
      platform: process.platform,
      homeDirectory: dataDir,
      uid: process.geteuid?.(),
      variable: (name) =>
        name === "RPORT_ENDPOINT_FILE" ? join(dataDir, ENDPOINT_FILE) : process.env[name],
    };
    const memory = { get: () => nearListening(port) as never, update: async () => undefined };
    const listening = new ListeningMemory(memory);
    const extensionPath = join(ROOT, "extension");
    return new LocalBackend({ environment, extensionPath, listening, clock: systemClock });
  }

  test("get one process; a port that it has is told to whoever wants it, too", async () => {
    expect(vsix).not.toBe("");
    await using temp = await tempDirectory();
    const port = await freePort();
    const dataDir = join(temp.path, "data");
    const windows = [windowOn(dataDir, port), windowOn(dataDir, port)];
    const starts = await Promise.all(windows.map((each) => each.start()));
    const endpoint = await windows[0]?.running();
    if (endpoint === undefined) throw new Error("nothing runs");
    try {
      expect(starts.map(({ kind }) => kind)).toEqual(["running", "running"]);
      expect(starts.filter((start) => start.kind === "running" && start.isNew)).toHaveLength(1);
      expect(endpoint.url).toBe(`http://127.0.0.1:${port}`);

      const other = await windowOn(join(temp.path, "other"), port).start();
      expect(other).toMatchObject({ kind: "failed", isPortTaken: true });
      if (other.kind === "failed") expect(other.output).toContain(`127.0.0.1:${port}`);
    } finally {
      await windows[1]?.stop(endpoint);
    }
    expect(isRunning(endpoint.pid)).toBe(false);
    expect(await windows[0]?.running()).toBeUndefined();
  });
});
