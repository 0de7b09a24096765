import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Frame, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FLEET, joinHosts } from "../support/agents/hosts.ts";
import { startBackend } from "../support/backend/backend.ts";
import { ROOT } from "../support/repository.ts";
import { openRport, photographFailures, type RportEditor } from "../support/vscode/rport.ts";
import type { Workbench } from "../support/vscode/workbench.ts";

const read = (name: string): Record<string, string> =>
  JSON.parse(readFileSync(join(ROOT, "extension", name), "utf8"));
const [english, german] = [read("package.nls.json"), read("package.nls.de.json")];

/** What is English and is something else in German, as the editor might show it. */
const ENGLISH: ReadonlySet<string> = new Set([
  ...Object.entries(read("l10n/bundle.l10n.de.json")).flatMap(([key, text]) =>
    key === text || key.includes("{") ? [] : [key],
  ),
  ...Object.entries(english).flatMap(([key, text]) => (german[key] === text ? [] : [text])),
]);

/** Whole texts below an element that are English. */
async function englishBelow(page: Page | Frame, selector: string): Promise<readonly string[]> {
  const texts = await page.locator(selector).evaluateAll((roots) =>
    roots.flatMap((root) => {
      const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
      const found: string[] = [];
      while (walker.nextNode()) found.push(walker.currentNode.textContent?.trim() ?? "");
      const labelled = [...root.querySelectorAll("[aria-label], [title]")];
      const labels = labelled.flatMap((each) => [
        each.getAttribute("aria-label") ?? "",
        each.getAttribute("title") ?? "",
      ]);
      return [...found, ...labels];
    }),
  );
  return texts.filter((text) => ENGLISH.has(text));
}

describe("an editor in German", () => {
  const resources = new AsyncDisposableStack();
  let rport: RportEditor;
  let workbench: Workbench;

  beforeAll(async () => {
    const backend = resources.use(await startBackend());
    await joinHosts(backend, resources);
    const settings = { "rport.servers": [{ name: "Lokal", url: "local" }] };
    rport = resources.use(await openRport(backend.dataDir, { settings, language: "de" }));
    workbench = rport.workbench;
    await rport.clients.row("web-01").waitFor();
  });

  afterAll(() => resources.disposeAsync());
  photographFailures(() => workbench);

  test("has views, rows and menus in German", async () => {
    const { page } = workbench;
    await workbench.pane("Client-Zugänge").row(FLEET).waitFor();
    await rport.clients.toggle("Offline");
    await rport.clients.row(/build-arm.*zuletzt/).waitFor();
    expect(await englishBelow(page, ".split-view-view.visible .pane")).toEqual([]);
    await rport.clients.row("web-01").click({ button: "right" });
    await page.getByRole("menuitem", { name: "Tunnel öffnen..." }).waitFor();
    expect(await englishBelow(page, ".monaco-menu")).toEqual([]);
    await workbench.screenshot("german-menu");
    await page.keyboard.press("Escape");
  });

  test("has its commands in the palette, and asks, in German", async () => {
    const { quickInput, page } = workbench;
    await workbench.command(`RPort: ${german["command.credential.rotate"]}`);
    await quickInput.pick(FLEET);
    await quickInput.rows("24 Stunden").waitFor();
    expect(await englishBelow(page, ".quick-input-widget")).toEqual([]);
    await quickInput.pick("24 Stunden");
    await workbench.dialog(`${FLEET} auf Lokal rotieren?`).waitFor();
    await workbench.screenshot("german-rotate");
    expect(await englishBelow(page, ".monaco-dialog-box")).toEqual([]);
    await page.keyboard.press("Escape");
  });

  test("has the install sheet in German", async () => {
    await workbench.command(`RPort: ${german["command.client.install"]}`);
    await workbench.quickInput.pick(FLEET);
    const sheet = await workbench.webview("Wartet auf die erste Verbindung");
    for (const details of await sheet.locator("details").all()) await details.click();
    expect(await sheet.locator("html").getAttribute("lang")).toBe("de");
    expect(await englishBelow(sheet, "body")).toEqual([]);
    await workbench.screenshot("german-sheet");
  });
});
