import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { createServer as createWebServer } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startAgent } from "../support/agents/agent.ts";
import { type RunningBackend, startBackend } from "../support/backend/backend.ts";
import { openRport, photographFailures, type RportEditor } from "../support/vscode/rport.ts";
import { openTunnel } from "../support/vscode/tunnels.ts";
import type { Workbench } from "../support/vscode/workbench.ts";

/** For what a window, a server and an agent need together on a busy machine. */
const SLOW_MS = 60_000;

/** Tunnels outlive the window that opened them: as rows, on their ports, or open again. */
describe("tunnels after a restart of the editor", () => {
  const resources = new AsyncDisposableStack();
  let backend: RunningBackend;
  let rport: RportEditor;
  let workbench: Workbench;
  /** Where the host's web server listens. */
  let port: number;
  let address: string;

  beforeAll(async () => {
    backend = resources.use(await startBackend());
    const { password } = await backend.api("createCredential", { body: { id: "hosts" } });
    const { fingerprint } = backend;
    const client = { fingerprint, auth: `hosts:${password}`, name: "web-01" };
    const agent = resources.use(await startAgent({ server: backend.url, client }));
    await agent.online();
    const web = createWebServer((request, response) => response.end(`page ${request.url}`));
    resources.defer(() => void web.close());
    await once(web.listen(0, "127.0.0.1"), "listening");
    ({ port } = web.address() as AddressInfo);
    const servers = [{ name: "Local Backend", url: "local" }];
    const settings = { "rport.servers": servers };
    rport = resources.use(await openRport(backend.dataDir, { settings }));
    workbench = rport.workbench;
    await rport.clients.row("web-01").waitFor({ timeout: SLOW_MS });
  });

  afterAll(() => resources.disposeAsync());
  photographFailures(() => workbench);

  test("a reloaded window shows it as not open, and opens it again on the same port", async () => {
    const { tunnels } = rport;
    address = await openTunnel(rport, "web-01", port);
    await tunnels.row("HTTP").waitFor({ timeout: SLOW_MS });
    expect(await page("/before")).toBe("page /before");

    await reload();
    await tunnels.row(/not open/).waitFor({ timeout: SLOW_MS });
    expect(await tunnels.labels()).toEqual([
      expect.stringMatching(/^web-01, /),
      `${address}, leads to web-01:${port} HTTP, not open`,
    ]);
    await expect(page("/closed")).rejects.toThrow();
    await workbench.screenshot("tunnels-not-open");
    expect(await tunnels.menuEntries(address)).toEqual([
      ...["Reopen Tunnel", "Copy Tunnel Address", "Copy Tunnel Link", "Forget Tunnel"],
    ]);
    await tunnels.rowAction(address, "Reopen Tunnel");
    await tunnels.row(/idle/).waitFor({ timeout: SLOW_MS });
    expect(await page("/after")).toBe("page /after");
    await workbench.screenshot("tunnels-reopened");
  });

  test("a port that somebody else has is said, and another one offered", async () => {
    const { tunnels } = rport;
    await reload();
    await tunnels.row(/not open/).waitFor({ timeout: SLOW_MS });
    const thief = createServer().listen(Number(address.split(":")[1]), "127.0.0.1");
    await once(thief, "listening");
    await workbench.command("RPort: Reopen Tunnel");
    await workbench.quickInput.pick(address);
    const toast = workbench.toast("of this computer is used by another program");
    await toast.waitFor({ timeout: SLOW_MS });
    await tunnels.row(/not open: .*another program/).waitFor({ timeout: SLOW_MS });
    await workbench.screenshot("tunnel-port-taken");
    await toast.getByRole("button", { name: "Use Another Port" }).click();
    await tunnels.row(/idle/).waitFor({ timeout: SLOW_MS });
    const [, label = ""] = await tunnels.labels();
    expect(label).not.toContain(address);
    address = label.split(",")[0] ?? "";
    thief.close();
    expect(await page("/elsewhere")).toBe("page /elsewhere");
  });

  test("one that was closed comes back on the port that it had", async () => {
    const { tunnels } = rport;
    await tunnels.rowAction(address, "Close Tunnel");
    await tunnels.welcome.getByText("No open tunnels.").waitFor({ timeout: SLOW_MS });
    expect(await openTunnel(rport, "web-01", port)).toBe(address);
    // once more is the same one
    expect(await openTunnel(rport, "web-01", port)).toBe(address);
    expect(await tunnels.labels()).toHaveLength(2);
  });

  test("with rport.tunnels.restore it is open again, whatever is looked at", async () => {
    await set("tunnels.restore", "always");
    await workbench.command("View: Show Explorer");
    await reload();
    await expect
      .poll(() => page("/always").catch(String), { timeout: SLOW_MS })
      .toBe("page /always");
    await workbench.openContainer("RPort");
    await rport.tunnels.row(/idle/).waitFor({ timeout: SLOW_MS });
    await set("tunnels.restore", "ask");
  });

  test("an extension host that is killed leaves nothing that listens, and a row", async () => {
    const { tunnels } = rport;
    const pid = await workbench.inHost(() => process.pid);
    process.kill(pid, "SIGKILL");
    await expect.poll(() => page("/killed").catch(() => "refused")).toBe("refused");
    await reload();
    await tunnels.row(/not open/).waitFor({ timeout: SLOW_MS });
    await workbench.command("RPort: Reopen All Tunnels");
    await tunnels.row(/idle/).waitFor({ timeout: SLOW_MS });
    expect(await page("/again")).toBe("page /again");
  });

  test("what cannot be read is set aside and said, and tunnels are opened as before", async () => {
    const { tunnels } = rport;
    const folder = join(rport.editor.server.folders.userData, "User/globalStorage/rport.rport");
    const file = join(folder, "tunnels.json");
    expect(await readFile(file, "utf8")).not.toContain(backend.token);
    await workbench.close();
    await writeFile(file, `{"version":1,"tunnels":[{"id":"`);
    await workbench.open();
    await workbench.openContainer("RPort");
    await tunnels.welcome.getByText("No open tunnels.").waitFor({ timeout: SLOW_MS });
    expect(await readFile(`${file}.broken`, "utf8")).toContain(`[{"id":"`);
    await workbench.command("RPort: Show Log");
    await expect.poll(() => workbench.outputText()).toContain("are set aside");
    await openTunnel(rport, "web-01", port);
  });

  test("one that is not wanted any more is forgotten", async () => {
    const { tunnels } = rport;
    await reload();
    await tunnels.row(/not open/).waitFor({ timeout: SLOW_MS });
    await workbench.command("RPort: Forget Tunnel");
    await workbench.quickInput.pick("127.0.0.1:");
    await tunnels.welcome.getByText("No open tunnels.").waitFor({ timeout: SLOW_MS });
    await reload();
    await tunnels.welcome.getByText("No open tunnels.").waitFor({ timeout: SLOW_MS });
    expect(workbench.errors).toEqual([]);
  });

  async function reload(): Promise<void> {
    await workbench.reload();
    // the new window has an extension host before it is asked for anything
    await workbench.inHost(() => process.pid);
  }

  async function page(path: string): Promise<string> {
    return (await fetch(`http://${address}${path}`)).text();
  }

  function set(name: string, value: string): Promise<void> {
    return workbench.inHost(
      async (vscode, key, to) => {
        const settings = vscode.workspace.getConfiguration("rport");
        await settings.update(key, to, vscode.ConfigurationTarget.Global);
      },
      name,
      value,
    );
  }
});
