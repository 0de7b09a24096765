import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import manifest from "../../extension/package.json" with { type: "json" };
import titles from "../../extension/package.nls.json" with { type: "json" };
import { FLEET, joinHosts } from "../support/agents/hosts.ts";
import { type RunningBackend, startBackend } from "../support/backend/backend.ts";
import { refusingPort } from "../support/refusingPort.ts";
import { COMMANDS_ELSEWHERE } from "../support/vscode/commandsElsewhere.ts";
import { openRport, photographFailures, type RportEditor } from "../support/vscode/rport.ts";
import { addByToken, FIELDS, pasteToken } from "../support/vscode/signIn.ts";
import type { Workbench } from "../support/vscode/workbench.ts";

/**
 * A web server's port on which nothing listens: not of 127.0.0.1, where the tunnel does, because the hosts of
 * these tests are this computer.
 */
const CLOSED = "127.0.0.2:8080";

/**
 * Commands of the palette that copy something of a picked entity: what they ask, what is copied.
 */
const COPIES = [
  { title: "Copy Name", question: "Copy the name of which client?", pick: "web-01" },
  { title: "Copy Client ID", question: "Copy the ID of which client?", copied: "machine-1" },
  {
    title: "Copy Host Address",
    question: "Copy the address of which client?",
    copied: "10.0.8.11",
  },
  { title: "Copy Authentication ID", question: "Copy which authentication ID?", pick: FLEET },
];

/** A token that no backend has, and that must not be found anywhere afterwards. */
/** How long an address that the editor forwards may take to open. */
const FORWARD_MS = 100_000;
const WRONG_TOKEN = "wrong-token-0123456789";

describe("commands, menus and messages", () => {
  const resources = new AsyncDisposableStack();
  const tried = new Set<string>();
  /** Everything secret that passed through the editor. */
  const secrets = [WRONG_TOKEN];
  let backend: RunningBackend;
  let rport: RportEditor;
  let workbench: Workbench;

  beforeAll(async () => {
    backend = resources.use(await startBackend());
    secrets.push(backend.token);
    await joinHosts(backend, resources);
    rport = resources.use(await openRport(backend.dataDir));
    workbench = rport.workbench;
    await workbench.setTheme("light");
  });

  afterAll(() => resources.disposeAsync());
  photographFailures(() => workbench);

  test("without a server, offers to add one and nothing that needs one", async () => {
    const { clients } = rport;
    await clients.welcome.getByText("Reach machines behind NAT").waitFor();
    await clients.welcome.getByRole("button", { name: "Add Server" }).waitFor();
    await workbench.screenshot("welcome");
    expect((await paletteTitles()).sort()).toEqual([
      "RPort: Add Server...",
      // the editor's own
      "RPort: Focus on Clients View",
      "RPort: Get Started",
      "RPort: Open Settings",
      // what is written for ssh outlasts the servers
      "RPort: Remove Hosts from ssh...",
      "RPort: Report Problem...",
      "RPort: Show Log",
      "RPort: Start Local Backend",
      "RPort: Use Local Backend",
    ]);
    expect(await statusText()).toBeUndefined();
  });

  test("tells what is wrong with an address, a token, or a server that is not there", async () => {
    const { quickInput } = workbench;
    await palette("Add Server...");
    await quickInput.answer(FIELDS.address, "ftp://nowhere");
    await quickInput.message.getByText("not an http or https address").waitFor();
    await quickInput.retry(backend.url);
    await workbench.answerDialog(backend.fingerprint, "Go On");
    await pasteToken(workbench, WRONG_TOKEN);
    await quickInput.message.getByText("A valid token is needed").waitFor();
    await workbench.screenshot("wrong-token");
    await quickInput.cancel();

    await palette("Add Server...");
    await using refusing = await refusingPort();
    await quickInput.answer(FIELDS.address, `http://127.0.0.1:${refusing.port}`);
    await quickInput.message.getByText("nothing is listening there").waitFor();
    await quickInput.retry(backend.url.replace("http:", "https:"));
    await quickInput.message.getByText("this port speaks http, not https").waitFor();
    await workbench.screenshot("wrong-scheme");
    await quickInput.cancel();
  });

  test("adds a server by address and token after showing its fingerprint", async () => {
    const { clients, access } = rport;
    await clients.welcome.getByRole("button", { name: "Add Server" }).click();
    await addByToken(workbench, backend);
    await clients.row("web-01").waitFor();
    await expect
      .poll(() => clients.labels())
      .toEqual([
        "Online, 4 clients",
        "cache-01, online, Ubuntu 24.04",
        "db-01, online, Ubuntu 24.04",
        "web-01, online, Debian 12.5",
        "web-02, online, Debian 12.5",
        "Offline, 1 client",
      ]);
    await access.row(FLEET).waitFor();
    await expect
      .poll(() => access.labels())
      .toContain(`${FLEET}, Web servers, 5 clients, 4 online`);
    await expect.poll(statusText).toBe("4/5");
  });

  test("signs out, which forgets what the server told, and in again", async () => {
    const { clients } = rport;
    await palette("Sign Out of Server...");
    await clients.welcome.getByText("Sign in to see your clients.").waitFor();
    await expect.poll(() => clients.labels()).toEqual([]);
    await clients.welcome.getByRole("button", { name: "Sign In" }).click();
    await pasteToken(workbench, backend.token);
    await clients.row("web-01").waitFor();
    await palette("Sign Out of Server...");
    await clients.welcome.getByText("Sign in to see your clients.").waitFor();
    await palette("Sign In to Server...");
    await pasteToken(workbench, backend.token);
    await clients.row("web-01").waitFor();
  });

  test("shows several servers side by side, each with its own menu", async () => {
    const { clients } = rport;
    await palette("Use Local Backend");
    await clients.row(/Local Backend.*4\/5 online/).waitFor();
    await expect.poll(statusText).toBe("8/10");
    await workbench.screenshot("two-servers");
    const remote = `127.0.0.1:${backend.port}4/5 online`;
    expect(await clients.menuEntries(remote)).toEqual([
      "Check Connection...",
      "Show Audit Log",
      "Copy Server Fingerprint",
      "Rename Server...",
      "Group Clients By...",
      "Sort Clients By...",
      "Sign Out of Server...",
      "Remove Server...",
    ]);
    await clients.contextMenu(remote, "Copy Server Fingerprint");
    await expect.poll(() => workbench.clipboard()).toBe(backend.fingerprint);
    await clients.contextMenu(remote, "Remove Server...");
    await workbench.answerDialog("Nothing changes on the server", "Remove");
    await clients.row("Local Backend").waitFor({ state: "detached" });
    await clients.row("web-01").waitFor();
  });

  test("stops at a server with another key until a person has looked at both", async () => {
    const { clients } = rport;
    const old = "SHA256:of-the-server-before";
    const url = `http://localhost:${backend.port}`;
    await putServer({ name: "Relay", url, fingerprint: old });
    await clients.rowAction("Relay", "Sign In");
    await workbench.dialog(old).getByText(backend.fingerprint).waitFor();
    await workbench.answerDialog("another key than before", "Trust the New Key");
    await pasteToken(workbench, backend.token);
    await clients.row(/Relay.*4\/5 online/).waitFor();

    await putServer({ name: "Relay 2", url, fingerprint: old });
    await clients.row(/Relay 2.*server key has changed/).waitFor();
    await workbench.screenshot("key-changed");
    await palette("Review Changed Server Fingerprint...");
    await workbench.dialog(old).getByText(backend.fingerprint).waitFor();
    await workbench.answerDialog("another key than before", "Trust the New Key");
    await clients.row(/Relay 2.*4\/5 online/).waitFor();
    await clients.contextMenu("Relay 2", "Remove Server...");
    await workbench.answerDialog("Remove Relay 2?", "Remove");
    await clients.row("Relay 2").waitFor({ state: "detached" });
  });

  test("asks before it removes the only server", async () => {
    await palette("Remove Server...");
    await workbench.answerDialog("Remove Local Backend?", "Cancel");
    await rport.clients.row("web-01").waitFor();
  });

  test.each(COPIES)("asks what to take: $title", async ({ title, question, pick, copied }) => {
    await palette(title);
    await workbench.quickInput.title(question).waitFor();
    await workbench.quickInput.pick(pick ?? "web-01");
    await expect.poll(() => workbench.clipboard()).toBe(copied ?? pick);
  });

  test("copies the fingerprint of the only server without asking", async () => {
    await workbench.page.evaluate(() => navigator.clipboard.writeText(""));
    await palette("Copy Server Fingerprint");
    await expect.poll(() => workbench.clipboard()).toBe(backend.fingerprint);
  });

  test("goes to a client, filters clients, and shows one's details", async () => {
    const { clients } = rport;
    await palette("Go to Client...");
    await workbench.quickInput.pick("db-01");
    await clients.locator.locator(".monaco-list-row.selected", { hasText: "db-01" }).waitFor();
    await palette("Filter Clients...");
    await workbench.quickInput.input.fill("cache");
    await clients.row("web-01").waitFor({ state: "detached" });
    await clients.row("cache-01").waitFor();
    await workbench.page.keyboard.press("Enter");
    await palette("Clear Filter");
    await clients.row("web-01").waitFor();

    await palette("Show Details");
    await workbench.quickInput.pick("web-02");
    await workbench.page.locator(".view-lines").getByText("machine-2").waitFor();
    await workbench.screenshot("details");
    await workbench.command("View: Close All Editors");
  });

  test("refreshes by a fresh connection, without losing what it shows", async () => {
    const before = await rport.clients.labels();
    const opened = () =>
      backend.logLines.filter((line) => line.includes("user socket opened")).length;
    const openedBefore = opened();
    await palette("Refresh");
    await expect.poll(opened).toBe(openedBefore + 1);
    await expect.poll(() => rport.clients.labels()).toEqual(before);
  });

  test("opens, copies and closes tunnels; a failure is told in its row", async () => {
    const { clients, tunnels } = rport;
    await palette("Open Tunnel...");
    await workbench.quickInput.pick("web-01");
    await workbench.quickInput.title("Open Tunnel to web-01").waitFor();
    await workbench.quickInput.input.fill(CLOSED);
    // a click may meet the list while it is drawn anew
    await workbench.quickInput.rows(CLOSED).first().waitFor();
    await workbench.page.keyboard.press("Enter");
    const row = tunnels.row(CLOSED);
    await row.waitFor();
    const address = (await row.getAttribute("aria-label"))?.split(",")[0] ?? "";
    await expect.poll(statusText).toBe("4/5 1");

    await palette("Copy Tunnel Address");
    await workbench.quickInput.pick(CLOSED);
    await expect.poll(() => workbench.clipboard()).toBe(address);
    expect(await tunnels.menuEntries(CLOSED)).toEqual([
      "Open Tunnel in Browser",
      "Open Tunnel in Simple Browser",
      "Copy Tunnel Address",
      "Copy Tunnel Link",
      "Copy Command Line of Tunnel",
      "Close Tunnel",
    ]);
    await palette("Open Tunnel in Browser");
    // the editor forwards the port first, which takes a busy machine its time
    const browser = workbench.page.context().waitForEvent("page", { timeout: FORWARD_MS });
    await workbench.quickInput.pick(CLOSED);
    const opened = await browser;
    // this editor is itself in a browser, so the address is one that its server forwards
    expect(opened.url()).toContain(address.split(":")[1]);
    await opened.close();

    await expect(fetch(`http://${address}/`)).rejects.toThrow();
    await expect.poll(() => row.getAttribute("aria-label")).toContain("failed: ");
    await workbench.screenshot("tunnel-failed");

    await palette("Close Tunnel");
    await workbench.quickInput.pick(CLOSED);
    await tunnels.welcome.getByText("No open tunnels.").waitFor();
    await clients.rowAction("web-01", "Open Tunnel");
    await workbench.quickInput.pick("SSH");
    await tunnels.row("web-01:22 SSH").waitFor();
    await palette("Close All Tunnels");
    await workbench.answerDialog("Close 1 tunnel of this computer?", "Close Tunnel");
    await tunnels.welcome.getByText("No open tunnels.").waitFor();
  });

  test("forgets a client that is away, after asking", async () => {
    const { clients } = rport;
    await palette("Forget Client...");
    await workbench.quickInput.pick("build-arm");
    await workbench.answerDialog("Forget build-arm on Local Backend?", "Cancel");
    await clients.toggle("Offline");
    expect(await clients.menuEntries("build-arm")).toEqual([
      ...[
        "Play Recording...",
        "Show Details",
        "Why Is This Client Offline?",
        "Copy Name",
        "Copy Client ID",
        "Copy Authentication ID",
      ],
      ...["Copy Host Address", "Copy Link", "Copy SSH Command", "Pin", "Rename Client..."],
      ...["Edit Tags...", "Set SSH User...", "Revoke Client...", "Forget Client..."],
    ]);
    await clients.contextMenu("build-arm", "Forget Client...");
    await workbench.answerDialog("Forget build-arm", "Forget Client");
    await clients.row("Offline").waitFor({ state: "detached" });
  });

  test("has a menu on a client that is online", async () => {
    const { clients } = rport;
    expect(await clients.menuEntries("web-01")).toEqual([
      ...["Open Terminal", "Open Tunnel...", "Play Recording..."],
      ...["Connect with Remote-SSH...", "Connect with Remote-SSH in New Window..."],
      ...["Show Details", "Copy Name", "Copy Client ID", "Copy Authentication ID"],
      ...["Copy Host Address", "Copy Link", "Copy SSH Command", "Pin", "Rename Client..."],
      ...["Edit Tags...", "Set SSH User...", "Revoke Client..."],
    ]);
    await clients.contextMenu("web-02", "Copy Client ID");
    await expect.poll(() => workbench.clipboard()).toBe("machine-2");
    await clients.contextMenu("web-02", "Open Tunnel...");
    await workbench.quickInput.title("Open Tunnel to web-02").waitFor();
    await workbench.quickInput.cancel();
    await clients.contextMenu("web-02", "Show Details");
    await workbench.page.locator(".view-lines").getByText("machine-2").waitFor();
    await workbench.command("View: Close All Editors");
  });

  test("creates a credential, and says that its password can be copied only now", async () => {
    const { access } = rport;
    const { quickInput } = workbench;
    await palette("Create Credential...");
    await quickInput.input.fill(FLEET);
    await quickInput.message.getByText("has a credential of this name").waitFor();
    await quickInput.answer("Create Credential", "laptops");
    await access.row("laptops").waitFor();
    const toast = workbench.toast("can be copied only now");
    await toast.getByRole("button", { name: "Copy Password" }).click();
    await expect.poll(() => workbench.clipboard()).toMatch(/^[\w-]{40,}$/);
    secrets.push(await workbench.clipboard());
  });

  test("opens a sheet for a picked credential; its pairing shows in the tree and can be revoked", async () => {
    const { access } = rport;
    await palette("Install Client...");
    await workbench.quickInput.title("Sign in with which credential?").waitFor();
    await workbench.quickInput.pick("laptops");
    const sheet = await rport.sheet("Waiting for the first connection");
    secrets.push(/echo (\w+)/.exec(await sheet.locator(".snippet").innerText())?.[1] ?? "");
    await access.toggle("laptops");
    await access.row("Pairing").waitFor();
    expect(await access.menuEntries("Pairing")).toEqual(["Revoke Pairing Code"]);
    await palette("Revoke Pairing Code");
    await workbench.quickInput.pick("laptops");
    await rport.sheet("This line was revoked.");
    await access.row("Pairing").waitFor({ state: "detached" });
    await workbench.command("View: Close All Editors");
  });

  test("names the clients that a rotation cannot reach", async () => {
    const { access } = rport;
    expect(await access.menuEntries(FLEET)).toEqual([
      ...["Install Client...", "Copy Authentication ID"],
      ...["Rotate Credential...", "Edit Credential...", "Delete Credential..."],
    ]);
    await palette("Rotate Credential...");
    await workbench.quickInput.pick(FLEET);
    await workbench.quickInput.title(`Rotate ${FLEET}`).waitFor();
    await workbench.screenshot("rotate");
    await workbench.quickInput.pick("24 hours");
    // these agents are as RPort's own: they know no rotation
    const dialog = workbench.dialog(`Rotate ${FLEET} on Local Backend?`);
    await dialog.getByText(/Cannot be moved by the server: 4 clients \(.*web-01/).waitFor();
    await workbench.screenshot("rotate-dialog");
    await workbench.answerDialog(`Rotate ${FLEET}`, "Rotate");
    await access.row(`${FLEET}`).waitFor();
    await expect.poll(async () => (await access.labels()).join()).toContain("rotating");
    await workbench.screenshot("rotating");
  });

  test("says whom a deletion hits, and offers to rotate instead", async () => {
    const { access, clients } = rport;
    await palette("Delete Credential...");
    await workbench.quickInput.pick(FLEET);
    const dialog = workbench.dialog(`Delete the credential ${FLEET}`);
    await dialog.getByText(/Disconnected at once: .*web-01/).waitFor();
    expect(await dialog.getByRole("button").allInnerTexts()).toEqual(
      expect.arrayContaining(["Rotate Instead", "Delete Credential", "Cancel"]),
    );
    // what Enter chooses harms nobody
    await workbench.page.keyboard.press("Enter");
    await workbench.quickInput.title(`Rotate ${FLEET}`).waitFor();
    await workbench.quickInput.cancel();
    await clients.row("web-01").waitFor();

    await access.contextMenu(FLEET, "Delete Credential...");
    await workbench.answerDialog(`Delete the credential ${FLEET}`, "Delete Credential");
    const left = ["cache-01", "db-01", "web-01", "web-02"].map((name) =>
      expect.stringMatching(new RegExp(`^${name}, offline`)),
    );
    await expect.poll(() => clients.labels()).toEqual(left);
    await expect.poll(statusText).toBe("0/4");
  });

  test("shows its settings and its log", async () => {
    await palette("Open Settings");
    await workbench.page.locator(".settings-editor").getByText("Status Bar: Visible").waitFor();
    await workbench.page.keyboard.press("Escape");
    await palette("Show Log");
    await expect.poll(() => workbench.outputText()).toContain("connection");
    await workbench.screenshot("log");
  });

  test("shows all that a report on a problem says, and copies it only when that is asked for", async () => {
    await workbench.page.evaluate(() => navigator.clipboard.writeText("before"));
    await palette("Report Problem...");
    await workbench.page.locator(".view-lines").getByText("Nothing of this has left").waitFor();
    await workbench.screenshot("report");
    const report = await workbench.inHost((vscode) =>
      vscode.window.activeTextEditor?.document.getText(),
    );
    expect(report).toContain("state: connected");
    expect(report).toContain("info connection");
    // the log names a server of before, which has gone
    const names = ["web-01", "machine-1", FLEET, "Relay", backend.fingerprint];
    for (const name of [...secrets, ...names]) {
      expect.soft(report).not.toContain(name);
    }
    expect(await workbench.clipboard()).toBe("before");
    const toast = workbench.toast("This is the whole report.");
    await toast.getByRole("button", { name: "Copy Report" }).click();
    await expect.poll(() => workbench.clipboard()).toBe(report);
    await workbench.command("View: Close All Editors");
  });

  test("has tried every command of the palette", () => {
    const all = manifest.contributes.commands.map(({ title }) => titleOf(title));
    const here = all.filter((title) => !COMMANDS_ELSEWHERE.includes(title));
    expect([...tried].sort()).toEqual(here.sort());
  });

  test("leaves no secret in a log, a setting or any other file", async () => {
    const { userData } = rport.editor.server.folders;
    expect(secrets.filter((secret) => secret.length >= 20)).toHaveLength(4);
    const found: string[] = [];
    const entries = await readdir(userData, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    for (const { parentPath, name } of files) {
      const text = await readFile(join(parentPath, name), "latin1");
      if (secrets.some((secret) => text.includes(secret))) found.push(name);
    }
    expect(files.map(({ name }) => name)).toContain("RPort.log");
    expect(found).toEqual([]);
  });

  test("has no script error", () => {
    expect(workbench.errors).toEqual([]);
  });

  async function palette(title: string): Promise<void> {
    tried.add(title);
    await workbench.command(`RPort: ${title}`);
  }

  /** Writes a server into the setting, in the place of one with the same address. */
  function putServer(server: { readonly [K in "name" | "url" | "fingerprint"]: string }) {
    return workbench.inHost(async (vscode, entry) => {
      const settings = vscode.workspace.getConfiguration("rport");
      const before = settings.get<{ url: string }[]>("servers", []);
      const others = before.filter(({ url }) => url !== entry.url);
      const target = vscode.ConfigurationTarget.Global;
      await settings.update("servers", [...others, entry], target);
    }, server);
  }

  async function paletteTitles(): Promise<string[]> {
    const { quickInput, page } = workbench;
    await page.keyboard.press("F1");
    await quickInput.input.fill(">RPort: ");
    await quickInput.rows("RPort: ").first().waitFor();
    const labels = await quickInput.rows("RPort: ").locator(".label-name").allInnerTexts();
    await quickInput.cancel();
    return labels;
  }

  /** Numbers of the status bar item; undefined when it is not there. */
  async function statusText(): Promise<string | undefined> {
    const item = workbench.statusItem("rport.rport", "rport.status");
    if ((await item.count()) === 0) return undefined;
    return (await item.innerText()).replaceAll(/\s+/g, " ").trim();
  }
});

function titleOf(key: string): string {
  return titles[key.replaceAll("%", "") as keyof typeof titles];
}
