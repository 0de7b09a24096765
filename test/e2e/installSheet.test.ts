import type { Frame, Locator } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { joinHosts } from "../support/agents/hosts.ts";
import { tokenOf } from "../support/agents/pastedLine.ts";
import { type RunningBackend, startBackend } from "../support/backend/backend.ts";
import { paleTexts } from "../support/vscode/contrast.ts";
import { openRport, photographFailures, type RportEditor } from "../support/vscode/rport.ts";
import type { Theme } from "../support/vscode/settings.ts";
import { addByToken } from "../support/vscode/signIn.ts";

/** So that a pairing expires while one watches. */
const SHORT_TTL_S = 4;

/** The narrowest column that people make of an editor. */
const NARROW_PX = 300;

const THEMES: readonly Theme[] = ["light", "highContrast", "highContrastLight", "dark"];

/** Where Tab goes on a fresh sheet, by the keys that the page's elements have. */
const TAB_ORDER = [
  "change",
  "address-help",
  "platform-linux",
  "tab-curl",
  "snippet",
  "copy",
  "runInTerminal",
  "inspectScript",
  "saveScript",
  "renew",
  "revoke",
];

describe("the install sheet in the editor", () => {
  const resources = new AsyncDisposableStack();
  let backend: RunningBackend;
  let impatient: RunningBackend;
  let rport: RportEditor;
  let sheet: Frame;

  beforeAll(async () => {
    backend = resources.use(await startBackend());
    impatient = resources.use(await startBackend({ pairing: { ttlS: SHORT_TTL_S } }));
    await joinHosts(backend, resources);
    await impatient.api("createCredential", { body: { id: "short-lived" } });
    const servers = [{ name: "Local Backend", url: "local" }];
    rport = resources.use(
      await openRport(backend.dataDir, { settings: { "rport.servers": servers } }),
    );
    await rport.clients.row("web-01").waitFor();
    await rport.workbench.setTheme("dark");
  });

  afterAll(() => resources.disposeAsync());
  photographFailures(() => rport.workbench);

  test("opens with a line that can be copied at once, and follows the keyboard", async () => {
    const { access, workbench } = rport;
    await access.rowAction("web-fleet", "Install Client");
    sheet = await rport.sheet("Waiting for the first connection");
    await expect.poll(focusedKey).toBe("copy");
    await workbench.page.keyboard.press("Enter");
    await announced("Copied");
    await sheet.getByRole("button", { name: "Copied" }).waitFor();
    expect(await workbench.clipboard()).toBe(await snippetText());
    await sheet.getByRole("button", { name: "Copy", exact: true }).waitFor();

    // once around, backwards from the first button to the first element and forward again
    for (const _ of TAB_ORDER.slice(0, TAB_ORDER.indexOf("copy")))
      await workbench.page.keyboard.press("Shift+Tab");
    const visited = [await focusedKey()];
    for (const _ of TAB_ORDER.slice(1)) {
      await workbench.page.keyboard.press("Tab");
      visited.push(await focusedKey());
    }
    expect(visited).toEqual(TAB_ORDER);
    await workbench.page.keyboard.press("Tab");
    expect(await focusedText()).toBe("Options");
  });

  test("changes its tab by arrow keys, and copies what is shown by C", async () => {
    const { page } = rport.workbench;
    await sheet.getByRole("tab", { name: "curl" }).focus();
    await page.keyboard.press("ArrowRight");
    await expect.poll(focusedKey).toBe("tab-wget");
    await expect.poll(snippetText).toContain("wget -q -t 1 ");
    await page.keyboard.press("c");
    await expect.poll(() => rport.workbench.clipboard()).toContain("wget -q -t 1 ");
    await page.keyboard.press("Home");
    await expect.poll(snippetText).toContain("curl -fsSL");
  });

  test("changes its line with the options", async () => {
    const first = await snippetText();
    expect(first).toContain("| sudo sh ");
    await sheet.getByText("Options", { exact: true }).click();
    await sheet.getByLabel("Do not install a service").check();
    await expect.poll(snippetText).toContain("--token-stdin --proxy-stdin --no-service");
    expect(tokenOf(await snippetText())).toBe(tokenOf(first));

    // below a folder of one's own nothing needs root; typing "c" is not copying
    await sheet.getByLabel("Install below this folder").fill("/home/me/my rport");
    await expect.poll(snippetText).toContain("--prefix '/home/me/my rport' --no-service");
    expect(await snippetText()).toContain("| sh ");
    await sheet.getByLabel("Install below this folder").fill("relative");
    await sheet.getByText("The whole path, from / or ~/ on").waitFor();
    expect(await sheet.getByRole("button", { name: "Copy" }).isDisabled()).toBe(true);
    await rport.workbench.screenshot("sheet-problem");
    await sheet.getByLabel("Install below this folder").fill("~/rport");
    await expect.poll(snippetText).toContain("--prefix ~/rport --no-service");

    // the name is part of the pairing, so there is a new one, and the old one is over
    await sheet.getByLabel("Install below this folder").fill("");
    await sheet.getByLabel("Display name").fill("web-03");
    await expect.poll(async () => tokenOf(await snippetText())).not.toBe(tokenOf(first));
    await expect.poll(() => pairingStates(backend)).toEqual(["active", "revoked"]);
    await sheet.getByText("Options", { exact: true }).click();
  });

  test("says whom a line lets in as whom that allows terminals", async () => {
    const lets = sheet.getByText("acts on this host as anna, until you take it back there");
    await sheet.getByText("Options", { exact: true }).click();
    await sheet.getByLabel("Allow terminals").check();
    await sheet.getByText("one that people log in to, such as root").waitFor();
    expect(await sheet.getByRole("button", { name: "Copy" }).isDisabled()).toBe(true);
    await sheet.getByLabel("Account that runs the agent").fill("anna");
    await sheet.getByText("Without a service, terminals are for root alone").waitFor();
    await sheet.getByLabel("Do not install a service").uncheck();
    await expect.poll(snippetText).toContain("--token-stdin --proxy-stdin --terminals anna;");
    await lets.waitFor();
    for (const theme of ["light", "dark"] as const) {
      await rport.workbench.setTheme(theme);
      await expect.poll(() => paleTexts(sheet)).toEqual([]);
      await sheet.getByLabel("Allow terminals").scrollIntoViewIfNeeded();
      await rport.workbench.screenshot(`sheet-terminals-options-${theme}`);
      await lets.scrollIntoViewIfNeeded();
      await rport.workbench.screenshot(`sheet-terminals-${theme}`);
    }
    await sheet.getByLabel("Account that runs the agent").fill("");
    await sheet.getByLabel("Allow terminals").uncheck();
    await lets.waitFor({ state: "hidden" });
    await sheet.getByText("Options", { exact: true }).click();
  });

  test("shows the script that would run", async () => {
    await sheet.getByRole("button", { name: "Inspect Script" }).click();
    const { page } = rport.workbench;
    await page.locator(".tab.active", { hasText: "rport-installer.sh" }).waitFor();
    await page.locator(".view-lines").getByText("#!/bin/sh").waitFor();
    await rport.workbench.command("View: Close Editor");
    sheet = await rport.sheet("Waiting for the first connection");
  });

  test("revokes its line; then only a new one can be copied", async () => {
    const revoked = tokenOf(await snippetText());
    await sheet.getByRole("button", { name: "Revoke" }).click();
    await sheet.getByText("This line was revoked.").waitFor();
    await announced("Revoked");
    await expect.poll(() => pairingStates(backend)).not.toContain("active");
    expect(await sheet.getByRole("button", { name: "Run in a Terminal" }).isDisabled()).toBe(true);
    await sheet.getByRole("button", { name: "Renew and Copy" }).click();
    await sheet.getByText("Waiting for the first connection").first().waitFor();
    await expect.poll(() => rport.workbench.clipboard()).toContain(tokenOf(await snippetText()));
    expect(tokenOf(await snippetText())).not.toBe(revoked);
  });

  test("stands beside the trees", async () => {
    const { access, tunnels } = rport;
    for (const [clientId, remote] of [
      ["machine-1", "80"],
      ["machine-3", "5432"],
    ] as const) {
      await backend.api("createTunnel", { params: { clientId }, query: { remote } });
    }
    await tunnels.expand();
    await tunnels.row("5432").waitFor();
    await access.toggle("web-fleet");
    await access.row("Pairing").waitFor();
    await rport.workbench.page.mouse.move(0, 0);
  });

  test.each(THEMES)("is readable in %s", async (theme) => {
    await rport.workbench.setTheme(theme);
    await expect.poll(() => paleTexts(sheet)).toEqual([]);
    await rport.workbench.screenshot(`sheet-${theme}`);
  });

  test("fits into a narrow column, and when it is enlarged", async () => {
    const { page } = rport.workbench;
    expect(await overflow()).toEqual([]);
    await sheet.getByText("What happens").click();
    // 200 % zoom leaves half of the pixels
    await page.setViewportSize({ width: 640, height: 400 });
    await expect.poll(overflow).toEqual([]);
    await rport.workbench.screenshot("sheet-zoomed");
    await narrowTo(NARROW_PX);
    await expect.poll(overflow).toEqual([]);
    await rport.workbench.screenshot("sheet-narrow");
    await page.setViewportSize({ width: 1280, height: 800 });
    await rport.workbench.openContainer("RPort");
  });

  test("is restored after a reload, without the token that only it knew", async () => {
    const lost = tokenOf(await snippetText());
    await rport.workbench.reload();
    // an editor may not have kept the last thing that the page remembered, but the pairing before it
    sheet = await rport.sheet(/The window was reloaded|This line was revoked/);
    await rport.workbench.openContainer("RPort");
    await rport.clients.row("web-01").waitFor();
    await rport.workbench.screenshot("sheet-restored");
    expect(await sheet.locator("body").innerText()).not.toContain(lost);
    await sheet.getByRole("button", { name: "Renew and Copy" }).click();
    await sheet.getByText("Waiting for the first connection").first().waitFor();
    await expect.poll(() => rport.workbench.clipboard()).toContain("--token-stdin");
  });

  test("tells when its line expires, and never copies an expired one", async () => {
    const { workbench, clients } = rport;
    await workbench.command("RPort: Add Server...");
    await addByToken(workbench, impatient);
    await clients.row(`:${impatient.port}`).waitFor();
    await workbench.command("RPort: Install Client...");
    await workbench.quickInput.pick(`:${impatient.port}`);
    await workbench.quickInput.pick("short-lived");
    sheet = await rport.sheet("short-lived");
    const first = tokenOf(await snippetText());
    await sheet.getByText(/Works once, until .* s left/).waitFor();
    await sheet.getByText("This line expired at").waitFor();
    await announced("Expired");
    await workbench.screenshot("sheet-expired");
    await workbench.page.keyboard.press("c");
    await expect.poll(() => workbench.clipboard()).toContain(impatient.url);
    expect(await workbench.clipboard()).not.toContain(first);
  });

  test("has no script error", () => {
    expect(rport.workbench.errors).toEqual([]);
  });

  function snippetText(): Promise<string> {
    return sheet.locator(".snippet").innerText();
  }

  function announced(text: string): Promise<void> {
    const live: Locator = sheet.locator('[aria-live="polite"]', { hasText: text });
    return live.waitFor({ state: "attached" });
  }

  function focusedKey(): Promise<string> {
    return sheet.evaluate(() => (document.activeElement as HTMLElement).dataset.key ?? "");
  }

  function focusedText(): Promise<string> {
    return sheet.evaluate(() => document.activeElement?.textContent ?? "");
  }

  /** What is wider than the page; nobody should have to scroll sideways. */
  function overflow(): Promise<string[]> {
    return sheet.evaluate(() => {
      const { scrollWidth, clientWidth } = document.documentElement;
      if (scrollWidth > clientWidth) return [`page: ${scrollWidth} > ${clientWidth}`];
      return [...document.querySelectorAll("main *")]
        .filter(
          (element) => element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 1,
        )
        .map((element) => `${element.tagName}: ${element.scrollWidth} > ${element.clientWidth}`);
    });
  }

  async function narrowTo(px: number): Promise<void> {
    const { workbench } = rport;
    await workbench.page.setViewportSize({ width: px + 100, height: 800 });
    await workbench.command("View: Close Primary Side Bar");
    await expect.poll(pageWidth).toBeGreaterThan(px / 2);
    const chrome = px + 100 - (await pageWidth());
    await workbench.page.setViewportSize({ width: px + chrome, height: 800 });
    await expect.poll(pageWidth).toBe(px);
  }

  function pageWidth(): Promise<number> {
    return sheet.evaluate(() => window.innerWidth);
  }
});

async function pairingStates(backend: RunningBackend): Promise<string[]> {
  const pairings = await backend.api("listPairings");
  return pairings.map(({ state }) => state).sort();
}
