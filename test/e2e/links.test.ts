import { join } from "node:path";
import { ENDPOINT_FILE } from "@rport/protocol/endpointFile";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FLEET, joinHosts } from "../support/agents/hosts.ts";
import { type RunningBackend, startBackend } from "../support/backend/backend.ts";
import { type Editor, openEditor } from "../support/vscode/editor.ts";
import { follow, linkOf } from "../support/vscode/links.ts";
import { photographFailures } from "../support/vscode/rport.ts";
import { FIELDS, pasteToken } from "../support/vscode/signIn.ts";
import { ensureVsix } from "../support/vscode/vsix.ts";
import type { Workbench } from "../support/vscode/workbench.ts";

/** A token that somebody has put where none belongs. */
const TOKEN = "leaked-0123456789-token";
const OTHER_KEY = `SHA256:${"b".repeat(43)}`;
const REFUSED = "This link cannot be followed.";

/** Links from outside, in a window whose RPort view was never opened. */
describe("links", () => {
  const resources = new AsyncDisposableStack();
  let backend: RunningBackend;
  let editor: Editor;
  let workbench: Workbench;

  async function open(trust: "trusted" | "restricted"): Promise<Editor> {
    return resources.use(
      await openEditor({
        trust,
        vsix: [await ensureVsix()],
        settings: { "rport.servers": [{ name: "Relay", url: "local" }] },
        env: { RPORT_ENDPOINT_FILE: join(backend.dataDir, ENDPOINT_FILE) },
      }),
    );
  }

  beforeAll(async () => {
    backend = resources.use(await startBackend());
    await joinHosts(backend, resources);
    editor = await open("trusted");
    workbench = editor.workbench;
  });

  afterAll(() => resources.disposeAsync());
  photographFailures(() => workbench);

  const key = () => `fingerprint=${backend.fingerprint.replaceAll("+", "%252B")}`;
  const followTo = async (rest: string) => follow(workbench, await linkOf(workbench, rest));

  /** With a number behind the clients' as soon as there is a tunnel. */
  const statusItem = () => workbench.statusItem("rport.rport", "rport.status");

  /** What the dialog says that is open. */
  async function said(question: string): Promise<string> {
    const dialog = workbench.dialog(question);
    await dialog.waitFor();
    return (await dialog.innerText()).replaceAll("\u00a0", " ");
  }

  test("S-18: to a client shows it, after a question that names host, server, address and key", async () => {
    await followTo(`/client?${key()}&id=machine-1`);
    const text = await said("Show web-01?");
    for (const part of ["web-01 (machine-1)", "Relay", backend.url, backend.fingerprint]) {
      expect(text).toContain(part);
    }
    await workbench.screenshot("link-client");
    await workbench.answerDialog("Show web-01?", "Show Client");
    await workbench.page.locator(".view-lines").getByText("machine-1").waitFor();
    const row = workbench.pane("Clients").row("web-01");
    await expect.poll(() => row.getAttribute("aria-selected")).toBe("true");
    await workbench.command("View: Close All Editors");
  });

  test("are copied from rows and from the palette, and lead where those are", async () => {
    const clients = workbench.pane("Clients");
    await clients.contextMenu("db-01", "Copy Link");
    await expect.poll(() => workbench.clipboard()).toContain("id=machine-3");
    const link = await workbench.clipboard();
    expect(link).toContain("://rport.rport/client?fingerprint=SHA256:");
    await follow(workbench, link);
    await workbench.answerDialog("Show db-01?", "Cancel");
    await workbench.command("RPort: Copy Link");
    await workbench.quickInput.pick("web-02");
    await expect.poll(() => workbench.clipboard()).toBe(link.replace("machine-3", "machine-2"));
  });

  test("to a tunnel open it once somebody has said yes, and are copied from its row", async () => {
    const tunnels = workbench.pane("Tunnels");
    const rest = `/tunnel?${key()}&client=machine-2&remote=127.0.0.2:5432`;
    await followTo(rest);
    expect(await said("Open a tunnel to web-02?")).toContain(
      "127.0.0.2:5432, as the client sees it",
    );
    await workbench.answerDialog("Open a tunnel to web-02?", "Cancel");
    await statusItem().getByText("4/5", { exact: true }).waitFor();
    await followTo(rest);
    await workbench.screenshot("link-tunnel");
    await workbench.answerDialog("Open a tunnel to web-02?", "Open Tunnel");
    await tunnels.row("127.0.0.2:5432").waitFor();
    await tunnels.contextMenu("127.0.0.2:5432", "Copy Tunnel Link");
    await expect.poll(() => workbench.clipboard()).toContain("/tunnel?fingerprint=");
    const copied = await workbench.clipboard();
    await workbench.command("RPort: Copy Tunnel Link");
    await workbench.quickInput.pick("127.0.0.2:5432");
    await follow(workbench, copied);
    await workbench.answerDialog("Open a tunnel to web-02?", "Open Tunnel");
    await workbench.page.getByText("The tunnel was open already").waitFor();
    await workbench.command("RPort: Close All Tunnels");
    await workbench.answerDialog("Close 1 tunnel", "Close Tunnel");
  });

  test("to install open the sheet of a credential", async () => {
    await followTo(`/install?server=Relay&credential=${FLEET}`);
    expect(await said("Install a client of Relay?")).toContain(FLEET);
    await workbench.answerDialog("Install a client of Relay?", "Install Client...");
    await workbench.webview(FLEET);
    await workbench.command("View: Close All Editors");
  });

  test.each([
    ["/steal?server=Relay", "/steal leads nowhere."],
    [`/client?server=Relay&id=machine-1&token=${TOKEN}`, "No link carries a secret"],
    [
      "/client?server=https://elsewhere.example&id=machine-1",
      "No server here is https://elsewhere",
    ],
    [`/client?server=Relay&fingerprint=${OTHER_KEY}&id=machine-1`, "Relay has another key"],
    ["/client?server=Relay&id=machine-99", "Relay has no client with the ID machine-99."],
    ["/install?server=Relay&credential=nobody", "Relay has no credential nobody."],
    ["/tunnel?server=Relay&client=machine-1&remote=99999", "remote is neither"],
  ])(
    "S-18: that cannot be followed are refused by what is wrong with them: %s",
    async (rest, why) => {
      await followTo(rest);
      const text = await said(REFUSED);
      expect(text).toContain(why);
      expect(text).not.toContain(TOKEN);
      await workbench.screenshot("link-refused");
      await workbench.answerDialog(REFUSED, "OK");
    },
  );

  test("S-18: leave no secret in the log", async () => {
    await workbench.command("RPort: Show Log");
    await expect.poll(() => workbench.outputText()).toContain('route="/client"');
    expect(await workbench.outputText()).not.toContain(TOKEN);
  });

  test("add a server only if it shows the key that they name", async () => {
    const other = resources.use(await startBackend());
    const server = `server=${other.url}&name=Second`;
    await followTo(`/add-server?${server}&fingerprint=${OTHER_KEY}`);
    const question = `Add the server ${new URL(other.url).host}?`;
    expect(await said(question)).toContain(OTHER_KEY);
    await workbench.answerDialog(question, "Add Server...");
    const { quickInput, page } = workbench;
    await quickInput.title("Add Server").waitFor();
    expect(await quickInput.input.inputValue()).toBe(other.url);
    await page.keyboard.press("Enter");
    await quickInput.message.getByText("not the server of the link").waitFor();
    await workbench.screenshot("link-other-key");
    await quickInput.cancel();

    await followTo(`/add-server?${server}`);
    await workbench.answerDialog(question, "Add Server...");
    await quickInput.answer(FIELDS.address, other.url);
    await workbench.answerDialog(other.fingerprint, "Go On");
    await pasteToken(workbench, other.token);
    await quickInput.message.getByText(FIELDS.name).waitFor();
    expect(await quickInput.input.inputValue()).toBe("Second");
    await page.keyboard.press("Enter");
    await workbench.pane("Clients").row("Second").waitFor();
    await followTo(`/add-server?${server}`);
    expect(await said(REFUSED)).toContain("Second is here already.");
    await workbench.answerDialog(REFUSED, "OK");
  });

  test("in Restricted Mode only show what is there", async () => {
    const restricted = await open("restricted");
    workbench = restricted.workbench;
    await followTo("/tunnel?server=Relay&client=machine-2&remote=22");
    expect(await said(REFUSED)).toContain("Restricted Mode");
    await workbench.answerDialog(REFUSED, "OK");
    await followTo("/client?server=Relay&id=machine-2");
    await workbench.answerDialog("Show web-02?", "Show Client");
    await workbench.page.locator(".view-lines").getByText("machine-2").waitFor();
  });
});
