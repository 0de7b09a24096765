import { once } from "node:events";
import { mkdir, readdir } from "node:fs/promises";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startAgent } from "../support/agents/agent.ts";
import { type RunningBackend, startBackend } from "../support/backend/backend.ts";
import { listenerOf } from "../support/listener.ts";
import { tempDirectory } from "../support/tempDirectory.ts";
import type { Pane } from "../support/vscode/pane.ts";
import { openRport, photographFailures, type RportEditor } from "../support/vscode/rport.ts";
import { openTunnel } from "../support/vscode/tunnels.ts";
import { Workbench } from "../support/vscode/workbench.ts";

/** For what windows, a server and an agent need together on a busy machine. */
const SLOW_MS = 60_000;

/** Several windows of one computer, and one listener for each tunnel. */
describe("tunnels of several windows", () => {
  const resources = new AsyncDisposableStack();
  let dataDir: string;
  let backend: RunningBackend;
  let rport: RportEditor;
  let workbench: Workbench;
  let second: Workbench;
  let seconds: Pane;
  let port: number;
  let address: string;

  beforeAll(async () => {
    ({ path: dataDir } = resources.use(await tempDirectory()));
    backend = await startBackend({ dataDir });
    resources.defer(() => backend[Symbol.asyncDispose]());
    const { password } = await backend.api("createCredential", { body: { id: "hosts" } });
    const { fingerprint } = backend;
    const client = { fingerprint, auth: `hosts:${password}`, name: "db-01" };
    const connection = { max_retry_interval: "1s" };
    const agent = resources.use(await startAgent({ server: backend.url, client, connection }));
    await agent.online();
    const web = createServer((request, response) => response.end(`page ${request.url}`));
    resources.defer(() => void web.close());
    await once(web.listen(0, "127.0.0.1"), "listening");
    ({ port } = web.address() as AddressInfo);
    const servers = [{ name: "Local Backend", url: "local" }];
    rport = resources.use(await openRport(dataDir, { settings: { "rport.servers": servers } }));
    workbench = rport.workbench;
    await rport.clients.row("db-01").waitFor({ timeout: SLOW_MS });
    address = await openTunnel(rport, "db-01", port);
    const { server, browser } = rport.editor;
    const other = join(server.folders.root, "other");
    await mkdir(other);
    second = new Workbench(server, await browser.context.newPage());
    await second.open(other);
    await second.openContainer("RPort");
    seconds = second.pane("Tunnels");
    await seconds.expand();
  });

  afterAll(() => resources.disposeAsync());
  photographFailures(() => workbench, " first");
  photographFailures(() => second, " second");

  test("show one that is open in the window of another workspace, too", async () => {
    await opens("/first");
    await seconds.row(`db-01:${port} HTTP`).waitFor({ timeout: SLOW_MS });
    expect(await seconds.labels()).toEqual([
      expect.stringMatching(/^db-01, online/),
      expect.stringMatching(
        new RegExp(`^${address}, leads to db-01:${port} HTTP, (idle|1 connection)`),
      ),
    ]);
    await second.screenshot("tunnel-second-window");
  });

  test("stay open, on the same port, when the window that listened is closed", async () => {
    await workbench.close();
    await opens("/second");
    await seconds.row(/idle/).waitFor({ timeout: SLOW_MS });
    await workbench.open();
    await workbench.openContainer("RPort");
    await rport.tunnels.row(/idle/).waitFor({ timeout: SLOW_MS });
  });

  test("F-30: stay open when the process that listened is killed", async () => {
    const pids = await extensionHosts();
    const local = Number(address.split(":")[1]);
    const listener = await listenerOf(local, pids);
    if (listener === undefined) throw new Error("no extension host listens on the tunnel's port");
    process.kill(listener, "SIGKILL");
    await expect
      .poll(
        () =>
          listenerOf(
            local,
            pids.filter((pid) => pid !== listener),
          ),
        { timeout: SLOW_MS },
      )
      .toBeGreaterThan(0);
    await opens("/killed");
  });

  test("keep their port while the backend is away, and say what broke, and when", async () => {
    const { port: listening } = backend;
    const places = [
      {
        host: "127.0.0.1",
        port: listening,
        faces: new Set(["agents", "users", "pairing"] as const),
      },
    ];
    const local = Number(address.split(":")[1]);
    const held = connect(local, "127.0.0.1");
    held.on("error", () => undefined).setEncoding("utf8");
    held.write("GET /held HTTP/1.1\r\nHost: db-01\r\n\r\n");
    await once(held, "data");
    const cut = new Promise((resolve) => held.once("close", resolve));
    await backend[Symbol.asyncDispose]();
    await cut;
    expect(await listenerOf(local, await extensionHosts())).toBeGreaterThan(0);
    backend = await startBackend({ dataDir, places });
    await opens("/back");
    // both windows know it now, so that either can hold what the other one leaves
    const broke = /\d connections? broke on \d+ \w+, \d\d:\d\d/;
    await seconds.row(broke).waitFor({ timeout: SLOW_MS });
    await rport.tunnels.row(broke).waitFor({ timeout: SLOW_MS });
    await workbench.screenshot("tunnel-connection-broke");
  });

  test("are closed from any of them", async () => {
    // a page in the background is not drawn, so nothing of it can be clicked
    await workbench.page.bringToFront();
    await workbench.reload();
    await workbench.openContainer("RPort");
    await rport.tunnels.row(/idle/).waitFor({ timeout: SLOW_MS });
    await rport.tunnels.rowAction(address, "Close Tunnel");
    await rport.tunnels.welcome.getByText("No open tunnels.").waitFor({ timeout: SLOW_MS });
    await expect(fetch(`http://${address}/`)).rejects.toThrow();
    expect(workbench.errors).toEqual([]);
  });

  /** The processes of all windows, those that ended included. */
  async function extensionHosts(): Promise<readonly number[]> {
    const names = await readdir(rport.editor.server.folders.probe);
    return names.map((name) => Number.parseInt(name, 10));
  }

  /** A page comes through the tunnel, sooner or later. */
  async function opens(path: string): Promise<void> {
    const page = async () => (await fetch(`http://${address}${path}`)).text();
    await expect.poll(() => page().catch(String), { timeout: SLOW_MS }).toBe(`page ${path}`);
  }
});
