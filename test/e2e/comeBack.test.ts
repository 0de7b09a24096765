import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { isRunning } from "@rport/protocol/local/runningBackends";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type InstalledAgent, installedAgent } from "../support/agents/installedAgent.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/freePort.ts";
import { type Editor, openEditor } from "../support/vscode/editor.ts";
import { EMPTY_COMPUTER, HomeBackend } from "../support/vscode/emptyComputer.ts";
import type { Pane } from "../support/vscode/pane.ts";
import { photographFailures } from "../support/vscode/rport.ts";
import { openTunnel } from "../support/vscode/tunnels.ts";
import { ensureVsix } from "../support/vscode/vsix.ts";
import type { Workbench } from "../support/vscode/workbench.ts";

/** For what has to be installed, started or connected on a busy machine. */
const SLOW_MS = 60_000;

/** How long one attempt to copy a line takes at most. */
const ATTEMPT_MS = 4_000;

const CREDENTIAL = "laptops";

/** Only the `.vsix`, a home with nothing in it, and what a person does: nothing else starts or makes anything. */
describe("the extension alone on an empty computer", () => {
  const resources = new AsyncDisposableStack();
  let editor: Editor;
  let workbench: Workbench;
  let clients: Pane;
  let access: Pane;
  let tunnels: Pane;
  let backend: HomeBackend;
  let host: InstalledAgent;
  /** Where a web server of the host listens. */
  let port: number;
  /** Of the tunnel that leads there. */
  let address: string;

  beforeAll(async () => {
    const web = createServer((request, response) => response.end(`page ${request.url}`));
    resources.defer(() => void web.close());
    await once(web.listen(0, "127.0.0.1"), "listening");
    ({ port } = web.address() as AddressInfo);
    // the usual port may be in use here; it has to be the same after each start, as that is
    const env = { RPORT_SERVER_ADDRESS: `127.0.0.1:${await freePort()}` };
    editor = resources.use(
      await openEditor({ ...EMPTY_COMPUTER, vsix: [await ensureVsix()], env }),
    );
    backend = resources.use(new HomeBackend(editor));
    host = resources.use(await installedAgent());
    workbench = editor.workbench;
    clients = workbench.pane("Clients");
    access = workbench.pane("Client Access");
    tunnels = workbench.pane("Tunnels");
    await workbench.openContainer("RPort");
  });

  afterAll(() => resources.disposeAsync());
  photographFailures(() => workbench);

  const page = async (path: string) => (await fetch(`http://${address}${path}`)).text();

  /** Opens what was closed, after everything of the editor has ended. */
  const openAgain = async () => {
    await editor.server.restart();
    await workbench.open();
    await workbench.openContainer("RPort");
  };

  /** The credential, the host and the tunnel, as they were. */
  const isAllThere = async () => {
    await clients.row(/web-01/).waitFor({ timeout: SLOW_MS });
    await eventually(async () => {
      expect((await clients.labels()).join()).toContain("web-01, online");
      expect((await access.labels()).join("\n")).toMatch(/^laptops, 1 client, 1 online/m);
      expect((await tunnels.labels()).join("\n")).toContain(`${address}, leads to web-01:${port}`);
    }, SLOW_MS);
  };

  test("starts a backend, and makes a credential on it", async () => {
    await clients.welcome.getByRole("button", { name: "Start Local Backend" }).click();
    await clients.welcome.getByText("No clients yet").waitFor({ timeout: SLOW_MS });
    await workbench.command("RPort: Create Credential...");
    await workbench.quickInput.answer("Create Credential", CREDENTIAL);
    await access.row(CREDENTIAL).waitFor();
    await workbench.clearToasts();
  });

  test("pairs a host by the line of the sheet, pasted into a shell", async () => {
    await access.rowAction(CREDENTIAL, "Install Client");
    const sheet = await workbench.webview("Waiting for the first connection");
    await sheet.getByText("Options", { exact: true }).click();
    await sheet.getByLabel("Display name").fill("web-01");
    await sheet.getByLabel("Install below this folder").fill(host.prefix);
    await sheet.locator(".snippet", { hasText: `--prefix ${host.prefix}` }).waitFor();
    // a name makes another pairing, and until its line is there, there is nothing to copy
    const copied = sheet.getByRole("button", { name: "Copied" });
    await vi.waitFor(
      async () => {
        await sheet.getByRole("button", { name: /^Cop(y|ied)$/ }).click();
        await copied.waitFor({ timeout: ATTEMPT_MS });
        expect(await workbench.clipboard()).toBe(await sheet.locator(".snippet").innerText());
      },
      { timeout: SLOW_MS },
    );
    expect(await workbench.clipboard()).toContain(`--prefix ${host.prefix}`);
    const { code, stderr } = await host.paste(await workbench.clipboard());
    expect({ code, stderr }).toMatchObject({ code: 0 });
    await sheet.getByText("Connected: web-01").first().waitFor({ timeout: SLOW_MS });
    await clients.row("web-01").waitFor();
    await workbench.command("View: Close All Editors");
  });

  test("opens a tunnel to it, which carries a page", async () => {
    address = await openTunnel({ clients, tunnels, workbench }, "web-01", port);
    expect(await page("/first")).toBe("page /first");
    await tunnels.row("HTTP").waitFor({ timeout: SLOW_MS });
  });

  test("has it all again when the editor was closed, while backend and host went on", async () => {
    const { pid } = await backend.endpoint();
    await workbench.close();
    await openAgain();
    expect((await backend.endpoint()).pid).toBe(pid);
    expect(isRunning(pid)).toBe(true);
    await isAllThere();
    await expect(page("/closed")).rejects.toThrow();
    await tunnels.row(/not open/).waitFor();
    await workbench.screenshot("come-back");
    await tunnels.rowAction(address, "Reopen Tunnel");
    await tunnels.row(/idle/).waitFor({ timeout: SLOW_MS });
    expect(await page("/again")).toBe("page /again");
  });

  test("has it all again when the whole computer was off", async () => {
    const { pid } = await backend.endpoint();
    await workbench.close();
    expect(await host.background("stop")).toMatchObject({ code: 0 });
    process.kill(pid, "SIGTERM");
    await eventually(() => expect(isRunning(pid)).toBe(false), SLOW_MS);
    await openAgain();
    await clients.welcome.getByText("No backend is running").waitFor({ timeout: SLOW_MS });
    await workbench.screenshot("come-back-off");
    await clients.welcome.getByRole("button", { name: "Start Local Backend" }).click();
    await backend.becomesAnother(pid);
    expect(await host.background("start")).toMatchObject({ code: 0 });
    await isAllThere();
    await workbench.command("RPort: Reopen All Tunnels");
    await tunnels.row(/idle/).waitFor({ timeout: SLOW_MS });
    expect(await page("/the-next-day")).toBe("page /the-next-day");
    await workbench.screenshot("come-back-next-day");
    expect(workbench.errors).toEqual([]);
  });
});
