import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startAgent } from "../support/agents/agent.ts";
import { FLEET, joinHosts } from "../support/agents/hosts.ts";
import type { RunningBackend } from "../support/backend/backend.ts";
import { eventually } from "../support/eventually.ts";
import { LOCAL_BACKEND } from "../support/vscode/fleet.ts";
import { type LastingBackend, openLasting } from "../support/vscode/lastingBackend.ts";
import { photographFailures, type RportEditor } from "../support/vscode/rport.ts";
import type { Workbench } from "../support/vscode/workbench.ts";

/** The credential of a laptop that is stolen. */
const LAPTOPS = "laptops";

/** Those of two groups, of which the one with four clients is open. */
const FIRST_ROWS = 6;

/** What commands act on, and what is true of rows while they are shown. */
describe("rows of the trees", () => {
  const resources = new AsyncDisposableStack();
  let again: LastingBackend["again"];
  let backend: RunningBackend;
  let hosts: AsyncDisposableStack;
  let rport: RportEditor;
  let workbench: Workbench;

  beforeAll(async () => {
    const settings = { "rport.servers": [LOCAL_BACKEND] };
    ({ backend, rport, again } = await openLasting(resources, { settings }));
    hosts = resources.use(new AsyncDisposableStack());
    await joinHosts(backend, hosts);
    workbench = rport.workbench;
    // a click while rows come hits whichever has come to lie there meanwhile
    await eventually(async () => expect(await rport.clients.labels()).toHaveLength(FIRST_ROWS));
    await rport.access.row(FLEET).waitFor();
  });

  afterAll(() => resources.disposeAsync());
  photographFailures(() => workbench);

  test("a key acts on the row that has the focus, and asks for no other", async () => {
    const { clients, access } = rport;
    const { keyboard } = workbench.page;
    await backend.api("createCredential", { body: { id: LAPTOPS } });
    await clients.select("web-01");
    await keyboard.press("Control+c");
    await expect.poll(() => workbench.clipboard()).toBe("web-01");
    await keyboard.press("Delete");
    await workbench.toast("web-01 is not an offline client").waitFor();
    expect(await workbench.quickInput.input.isVisible()).toBe(false);
    await workbench.screenshot("key-does-not-fit");
    await workbench.clearToasts();
    // an arrow moves the focus alone, and leaves the selection where it is
    await clients.select("cache-01");
    await keyboard.press("ArrowDown");
    await keyboard.press("Control+c");
    await expect.poll(() => workbench.clipboard()).toBe("db-01");
    await access.select(LAPTOPS);
    await keyboard.press("Delete");
    await workbench.answerDialog(`Delete the credential ${LAPTOPS} on Local Backend?`, "Cancel");
  });

  test("with several rows selected, a button acts on its own row, and the menu on all", async () => {
    const { clients } = rport;
    await clients.select("db-01", "web-01");
    await clients.rowAction("web-01", "Open Tunnel");
    await workbench.quickInput.title("Open Tunnel to web-01").waitFor();
    await workbench.quickInput.cancel();
    expect(await clients.menuEntries("web-01")).toEqual([
      ...["Open Terminal", "Copy Name", "Copy Client ID", "Copy Authentication ID"],
      ...["Copy Host Address", "Copy Link", "Pin", "Rename Client...", "Edit Tags..."],
      "Revoke Client...",
    ]);
    await clients.contextMenu("web-01", "Copy Name");
    await expect.poll(() => workbench.clipboard()).toBe("db-01\nweb-01");
    await clients.row("cache-01").click();
  });

  test("a stolen laptop's tries are shown from its row and from the palette", async () => {
    const { clients } = rport;
    const { password } = await backend.api("createCredential", { body: { id: "stolen" } });
    const { fingerprint } = backend;
    const client = { fingerprint, auth: `stolen:${password}`, name: "anna-laptop" };
    const thief = hosts.use(await startAgent({ server: backend.url, client }));
    await thief.online();
    await clients.contextMenu("anna-laptop", "Revoke Client...");
    await workbench.answerDialog("Revoke anna-laptop", "Revoke Client");
    await clients.toggle("Offline");
    await clients.row(/anna-laptop.*revoked/).waitFor();
    // it goes from one group to the other, which the editor draws one after the other
    await expect.poll(() => clients.row("anna-laptop").count()).toBe(1);
    expect(await clients.menuEntries("anna-laptop")).toEqual([
      ...["Play Recording...", "Show Details"],
      ...["Why Is This Client Offline?", "Show Who Still Tries", "Copy Name", "Copy Client ID"],
      ...["Copy Authentication ID", "Copy Host Address", "Copy Link", "Copy SSH Command"],
      ...["Pin", "Rename Client...", "Edit Tags...", "Allow Client Again...", "Set SSH User..."],
    ]);
    await clients.rowAction("anna-laptop", "Show Who Still Tries");
    const page = workbench.page.locator(".view-lines");
    await page.getByText("(anna-laptop)").first().waitFor();
    await workbench.screenshot("who-still-tries");
    await rport.access.toggle("Refused joins");
    await rport.access.row(/Revoked client.*anna-laptop/).waitFor();
    await workbench.command("View: Close All Editors");
    await workbench.command("RPort: Show Who Still Tries");
    await workbench.quickInput.pick("anna-laptop");
    await page.getByText("(anna-laptop)").first().waitFor();
    await workbench.command("View: Close All Editors");
    await workbench.clearToasts();
  });

  test("while the backend is away everything is dim, and nothing opens; it is back by itself", async () => {
    const { clients, access, tunnels } = rport;
    await clients.rowAction("web-01", "Open Tunnel");
    // not of 127.0.0.1, where the tunnel listens: these hosts are this computer
    await workbench.quickInput.input.fill("127.0.0.2:5432");
    await workbench.quickInput.rows("127.0.0.2:5432").first().waitFor();
    await workbench.page.keyboard.press("Enter");
    await tunnels.row("127.0.0.2:5432").waitFor();
    // in this order, or the hosts that go away may be told of before the backend does
    await backend[Symbol.asyncDispose]();
    await hosts.disposeAsync();
    for (const pane of [clients, access, tunnels]) {
      await pane.message.getByText("Reconnecting to Local Backend").waitFor();
    }
    await expect
      .poll(() => clients.labels())
      .toContainEqual(expect.stringMatching(/^web-01, .*not up to date$/));
    await workbench.screenshot("away");
    expect(await clients.menuEntries("web-01")).toEqual([
      ...["Show Details", "Copy Name", "Copy Client ID", "Copy Authentication ID"],
      ...["Copy Host Address", "Copy Link", "Pin", "Set SSH User..."],
    ]);
    expect(await access.menuEntries(LAPTOPS)).toEqual(["Copy Authentication ID"]);

    await clients.headerAction("Retry Now");
    backend = await again();
    await tunnels.message.getByText("Reconnecting").waitFor({ state: "hidden" });
    await expect
      .poll(async () => (await access.labels()).join("\n"))
      .not.toContain("not up to date");
    await workbench.screenshot("back");
  });
});
