import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Locator } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { photographFailures, type RportEditor } from "../support/vscode/rport.ts";
import { SLOW_MS } from "../support/vscode/slow.ts";
import { openTerminalFleet } from "../support/vscode/terminalFleet.ts";
import type { Workbench } from "../support/vscode/workbench.ts";

/** To a line below that has no link. */
const LINES_PX = 60;
/** The editor says soon what a link is to which the mouse came. */
const SOON_MS = 3_000;

/** What a host's programs print leads to that host. */
describe("S-68: links in a terminal of a host", () => {
  const resources = new AsyncDisposableStack();
  let rport: RportEditor;
  let workbench: Workbench;
  let port: number;

  beforeAll(async () => {
    const web = createServer((request, response) => response.end(`page ${request.url}`));
    resources.defer(() => void web.close());
    await once(web.listen(0, "127.0.0.1"), "listening");
    ({ port } = web.address() as AddressInfo);
    ({ rport } = await openTerminalFleet(resources, [{ name: "web-01" }]));
    workbench = rport.workbench;
    await rport.clients.rowAction("web-01", "Open Terminal");
    await workbench.terminal.rows.filter({ hasText: /[$#]/ }).waitFor({ timeout: SLOW_MS });
  });

  afterAll(() => resources.disposeAsync());
  photographFailures(() => workbench);

  test("are files of that host, and none of this computer", async () => {
    await shows("/etc/hosts:3");
    const toast = workbench.toast("/etc/hosts:3 would be a file of web-01, not of this computer.");
    await follow("/etc/hosts:3", () => toast.isVisible());
    await workbench.screenshot("terminal-link-file");
    await toast.getByRole("button", { name: "Copy Path" }).click();
    await expect.poll(() => workbench.clipboard()).toBe("/etc/hosts:3");
    expect(await workbench.page.locator(".tab").filter({ hasText: "hosts" }).count()).toBe(0);
  });

  test("are pages of that host, which are opened through a tunnel", async () => {
    const address = `http://127.0.0.1:${port}/status?of=web`;
    await shows(address);
    const pages = workbench.page.context();
    const [page] = await Promise.all([
      pages.waitForEvent("page", { timeout: SLOW_MS }),
      follow(address, async () => pages.pages().length > 1),
    ]);
    await page.getByText("page /").waitFor({ timeout: SLOW_MS });
    expect(await page.locator("body").innerText()).toBe("page /status?of=web");
    // that of the tunnel, as far as the browser is shown it
    expect(new URL(page.url()).port).not.toBe(String(port));
    await page.close();
    await workbench.page.bringToFront();
    await rport.tunnels.expand();
    await rport.tunnels.row(`web-01:${port}`).waitFor();
    await workbench.screenshot("terminal-link-page");
    expect(workbench.errors).toEqual([]);
  });

  /** Has a program print a line that is nothing but this. */
  async function shows(text: string): Promise<void> {
    await workbench.terminal.type(`clear; echo '${text.replace("/", "'/'")}'\n`);
    await workbench.terminal.shows(text);
  }

  /**
   * Clicks a text at the beginning of a row as a link until something has come of it: links of a row are looked for when
   * the mouse comes to it.
   */
  async function follow(text: string, isDone: () => Promise<boolean>): Promise<void> {
    const { page, terminal } = workbench;
    const row = terminal.rows.locator("> div").filter({ hasText: text }).last();
    const attempt = async () => {
      if (await isDone()) return true;
      const box = await row.boundingBox();
      if (box === null) return false;
      const at = { x: box.x + 20, y: box.y + box.height / 2 };
      await page.mouse.move(at.x, at.y + LINES_PX);
      await page.mouse.move(at.x, at.y);
      const isLink = await appears(page.getByText("(ctrl + click)"));
      if (isLink) await page.mouse.click(at.x, at.y);
      return isLink && (await isDone());
    };
    await page.keyboard.down("Control");
    try {
      await expect.poll(attempt, { timeout: SLOW_MS, interval: 1_000 }).toBe(true);
    } finally {
      await page.keyboard.up("Control");
    }
  }
});

/** Whether it is there soon. */
async function appears(what: Locator): Promise<boolean> {
  try {
    await what.first().waitFor({ timeout: SOON_MS });
    return true;
  } catch {
    return false;
  }
}
