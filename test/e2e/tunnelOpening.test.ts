import { once } from "node:events";
import { createServer as createWebServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { ListeningPort } from "@rport/protocol/tunnels/listening";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { platformOf } from "../../agent/src/machine/platformOf.ts";
import { startAgent } from "../support/agents/agent.ts";
import { startBackend } from "../support/backend/backend.ts";
import { freePort } from "../support/freePort.ts";
import { openRport, photographFailures, type RportEditor } from "../support/vscode/rport.ts";
import type { Workbench } from "../support/vscode/workbench.ts";

/** For what a window, a server and an agent need together on a busy machine. */
const SLOW_MS = 60_000;
const HERE = platformOf(process.platform);

/** Opening a tunnel is no guess: what was used, what listens, what is common. */
describe("opening a tunnel", () => {
  const resources = new AsyncDisposableStack();
  let rport: RportEditor;
  let workbench: Workbench;
  /** Where the host's web server listens. */
  let port: number;
  /** What web-01 tells, once it does. */
  let told = Promise.withResolvers<readonly ListeningPort[]>();

  beforeAll(async () => {
    const backend = resources.use(await startBackend());
    const { password } = await backend.api("createCredential", { body: { id: "hosts" } });
    const { fingerprint } = backend;
    const agent = async (name: string, client: object) => {
      const own = { fingerprint, auth: `hosts:${password}`, id: name, name, ...client };
      const platform = { ...HERE, listeners: () => told.promise };
      const started = await startAgent({ server: backend.url, client: own }, { platform });
      resources.use(started);
      await started.online();
    };
    await agent("web-01", {});
    await agent("shy-01", { tell_listening_ports: false });
    const web = createWebServer((request, response) => response.end(`page ${request.url}`));
    resources.defer(() => void web.close());
    await once(web.listen(0, "127.0.0.1"), "listening");
    ({ port } = web.address() as AddressInfo);
    const settings = { "rport.servers": [{ name: "Local Backend", url: "local" }] };
    rport = resources.use(await openRport(backend.dataDir, { settings }));
    workbench = rport.workbench;
    await rport.clients.row("web-01").waitFor({ timeout: SLOW_MS });
  });

  afterAll(() => resources.disposeAsync());
  photographFailures(() => workbench);

  test("what listens is filled in while the question is open, and the focus stays on its row", async () => {
    const { quickInput, page } = workbench;
    await rport.clients.rowAction("web-01", "Open Tunnel");
    await quickInput.title("Open Tunnel to web-01").waitFor();
    await quickInput.rows("3389").waitFor();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    await focused("443").waitFor();
    // what is answered to the extension comes behind what it is told of the focus
    await workbench.inHost((vscode) => vscode.commands.executeCommand("setContext", "seen", true));
    told.resolve([
      { port: 22, address: "0.0.0.0", process: "sshd" },
      { port, address: "127.0.0.1", process: "$(zap) caddy" },
    ]);
    await quickInput.rows("$ (zap) caddy").waitFor({ timeout: SLOW_MS });
    await quickInput.rows("loopback only").waitFor();
    await quickInput.rows("listening there").waitFor();
    expect(await focused("443").count()).toBe(1);
    await workbench.screenshot("tunnel-listening");

    await quickInput.input.fill("caddy");
    await quickInput.rows(String(port)).first().waitFor();
    await page.keyboard.press("Enter");
    await rport.tunnels.row(`web-01:${port}`).waitFor({ timeout: SLOW_MS });
  });

  test("a look at its first bytes tells what it leads to, and a browser is offered for it", async () => {
    const { quickInput, page } = workbench;
    const { tunnels } = rport;
    const row = tunnels.row(`web-01:${port} HTTP`);
    await row.waitFor({ timeout: SLOW_MS });
    const label = (await row.getAttribute("aria-label")) ?? "";
    const [address = ""] = label.split(",");
    expect(label).toBe(`${address}, leads to web-01:${port} HTTP, idle`);
    expect(await tunnels.menuEntries(address)).toEqual([
      ...["Open Tunnel in Browser", "Open Tunnel in Simple Browser"],
      ...["Copy Tunnel Address", "Copy Tunnel Link", "Copy Command Line of Tunnel"],
      "Close Tunnel",
    ]);
    const browser = page.context().waitForEvent("page", { timeout: SLOW_MS });
    await tunnels.rowAction(address, "Open Tunnel in Browser");
    const opened = await browser;
    // this editor is itself in a browser, so the address is one that its server forwards
    expect(opened.url()).toContain(address.split(":")[1]);
    await opened.close();

    await workbench.command("RPort: Copy Command Line of Tunnel");
    await quickInput.pick(`web-01:${port}`);
    await expect.poll(() => workbench.clipboard()).toBe(`curl http://${address}/`);
  });

  test("the editor's own browser gets an address that works where the window is", async () => {
    const { quickInput } = workbench;
    // this editor has none: what is asked of one is looked at
    await workbench.inHost((vscode) => {
      const asked = vscode.workspace.getConfiguration("window");
      vscode.commands.registerCommand("simpleBrowser.show", (url: string) =>
        asked.update("title", url, vscode.ConfigurationTarget.Global),
      );
    });
    await workbench.command("RPort: Open Tunnel in Simple Browser");
    await quickInput.pick(`web-01:${port}`);
    const shown = () =>
      workbench.inHost((vscode) => vscode.workspace.getConfiguration("window").get("title"));
    await expect.poll(shown, { timeout: SLOW_MS }).toMatch(/^https?:\/\//);
    expect(await (await fetch(String(await shown()))).text()).toBe("page /");
  });

  test("a place that was used comes first the next time", async () => {
    const { quickInput } = workbench;
    told = Promise.withResolvers();
    await rport.clients.rowAction("web-01", "Open Tunnel");
    await quickInput.title("Open Tunnel to web-01").waitFor();
    await quickInput.rows("used before").waitFor();
    await focused(String(port)).waitFor();
    await quickInput.cancel();
    told.resolve([]);
  });

  test("a host that does not tell says so, and is opened as before", async () => {
    const { quickInput } = workbench;
    await rport.clients.rowAction("shy-01", "Open Tunnel");
    await quickInput.title("Open Tunnel to shy-01").waitFor();
    await quickInput.rows(/tell_listening_ports/).waitFor({ timeout: SLOW_MS });
    await quickInput.rows("3389").waitFor();
    await quickInput.cancel();
  });

  test("a port on which nothing listens is asked about before it is called open", async () => {
    const { quickInput, page } = workbench;
    const closed = await freePort();
    const choose = async (typed: number) => {
      await quickInput.title("Open Tunnel to web-01").waitFor();
      await quickInput.input.fill(String(typed));
      await quickInput.rows(String(typed)).first().waitFor();
      await page.keyboard.press("Enter");
    };
    const question = `Nothing listens on web-01:${closed} (connection refused).`;
    await rport.clients.rowAction("web-01", "Open Tunnel");
    await choose(closed);
    await workbench.answerDialog(question, "Choose Another");
    await choose(closed);
    await workbench.answerDialog(question, "Cancel");
    await rport.clients.rowAction("web-01", "Open Tunnel");
    await choose(closed);
    await workbench.answerDialog(question, "Open Anyway");
    await rport.tunnels.row(`web-01:${closed}`).waitFor({ timeout: SLOW_MS });
    expect(await rport.tunnels.row(/web-01:\d/).count()).toBe(2);
  });

  /** The entry with this text that has the focus. */
  function focused(text: string) {
    return workbench.quickInput.widget.locator(".monaco-list-row.focused", { hasText: text });
  }
});
