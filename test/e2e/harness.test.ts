import { stat } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Editor, openEditor } from "../support/vscode/editor.ts";
import { ensureVsCode } from "../support/vscode/install.ts";

describe("a VS Code under test", () => {
  let editor: Editor;

  beforeAll(async () => {
    editor = await openEditor({ files: { "README.md": "# workspace\n" } });
  });

  afterAll(() => editor?.[Symbol.asyncDispose]());

  test("runs functions in a real extension host", async () => {
    const host = await editor.workbench.inHost((vscode, factor) => {
      return { product: 6 * factor, version: vscode.version };
    }, 7);
    expect(host.product).toBe(42);
    expect(host.version).toBe((await ensureVsCode()).version);
  });

  test("tells what a function in the extension host threw", async () => {
    const running = editor.workbench.inHost(() => {
      throw new TypeError("on purpose");
    });
    await expect(running).rejects.toThrow("TypeError: on purpose");
  });

  test("runs commands from the palette", async () => {
    const { workbench } = editor;
    await workbench.command("View: Show Explorer");
    await workbench.openContainer("Explorer");
    const pane = workbench.pane("workspace");
    await pane.row("README.md").waitFor();
    expect(await pane.labels()).toEqual([expect.stringContaining("README.md")]);
  });

  test("shows toasts, whose buttons answer", async () => {
    const { workbench } = editor;
    const answer = workbench.inHost((vscode) =>
      vscode.window.showInformationMessage("Shall we?", "Yes", "No"),
    );
    await workbench.toast("Shall we?").getByRole("button", { name: "Yes" }).click();
    expect(await answer).toBe("Yes");
  });

  test("shows modal dialogs", async () => {
    const { workbench } = editor;
    const answer = workbench.inHost((vscode) =>
      vscode.window.showWarningMessage("Delete all?", { modal: true }, "Delete"),
    );
    await workbench.answerDialog("Delete all?", "Delete");
    expect(await answer).toBe("Delete");
  });

  test("asks for values and choices", async () => {
    const { quickInput, inHost } = bound(editor);
    const answers = inHost(async (vscode) => [
      await vscode.window.showInputBox({ title: "Your name" }),
      await vscode.window.showQuickPick(["alpha", "beta"], { title: "Letter" }),
    ]);
    await quickInput.answer("Your name", "Zoe");
    await quickInput.title("Letter").waitFor();
    await quickInput.pick("beta");
    expect(await answers).toEqual(["Zoe", "beta"]);
  });

  test("finds also what is said beyond the toasts that are shown at once", async () => {
    const { workbench } = editor;
    await workbench.inHost((vscode) => {
      for (const n of [1, 2, 3, 4, 5]) void vscode.window.showInformationMessage(`said ${n}`);
    });
    for (const n of [1, 5]) await workbench.said(`said ${n}`);
    await workbench.clearToasts();
  });

  test("chooses from context menus", async () => {
    const { workbench } = editor;
    await workbench.openContainer("Explorer");
    await workbench.pane("workspace").contextMenu("README.md", "Copy Relative Path");
    await expect.poll(() => workbench.clipboard()).toBe("README.md");
  });

  test("reads and writes terminals", async () => {
    const { terminal, inHost } = bound(editor);
    await inHost((vscode) => {
      const opened = vscode.window.createTerminal("probe");
      opened.show();
      opened.sendText("echo sum=$((40+2))");
    });
    await terminal.shows("sum=42");
    await terminal.type("echo typed-$((1+1))\n");
    await terminal.shows("typed-2");
    expect((await terminal.text()).split("\n")).toContain("typed-2");
  });

  test("finds the content of webviews", async () => {
    const { workbench } = editor;
    await workbench.inHost((vscode) => {
      const panel = vscode.window.createWebviewPanel("probe", "Probe", 1, { enableScripts: true });
      panel.webview.html = `<button onclick="this.textContent='pressed'">press me</button>`;
    });
    const frame = await workbench.webview("press me");
    await frame.getByRole("button").click();
    await frame.getByText("pressed").waitFor();
  });

  test("shows output channels", async () => {
    const { workbench } = editor;
    await workbench.inHost((vscode) => {
      vscode.window.createOutputChannel("Probe channel").appendLine("hello channel");
    });
    await workbench.showOutput("Probe channel");
    await expect.poll(() => workbench.outputText()).toContain("hello channel");
  });

  test("changes its theme, and is photographed in each", async () => {
    const { workbench } = editor;
    for (const theme of ["light", "highContrast", "highContrastLight", "dark"] as const) {
      await workbench.setTheme(theme);
      const file = await workbench.screenshot(`harness-${theme}`);
      expect((await stat(file)).size).toBeGreaterThan(10_000);
    }
  });

  test("reloads into a new extension host", async () => {
    const { workbench } = editor;
    const before = await workbench.inHost(() => process.pid);
    await workbench.reload();
    expect(await workbench.inHost(() => process.pid)).not.toBe(before);
  });

  test("has no script error", () => {
    expect(editor.workbench.errors).toEqual([]);
  });
});

test("a restricted VS Code does not trust its workspace", async () => {
  await using editor = await openEditor({ trust: "restricted" });
  expect(await editor.workbench.inHost((vscode) => vscode.workspace.isTrusted)).toBe(false);
});

/** Parts of a workbench, for tests that use several. */
function bound({ workbench }: Editor) {
  const { quickInput, terminal } = workbench;
  return { quickInput, terminal, inHost: workbench.inHost.bind(workbench) };
}
