import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { GroupName, UserName } from "@rport/protocol/people/user";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FLEET, joinHosts } from "../support/agents/hosts.ts";
import { type RunningBackend, startBackend } from "../support/backend/backend.ts";
import { addUser, newToken, PASSWORD, signIn } from "../support/backend/person.ts";
import { type Mood, MoodyProxy } from "../support/faults/moodyProxy.ts";
import { ShiftedClock } from "../support/shiftedClock.ts";
import { breakKeyring } from "../support/vscode/keyring.ts";
import { openRport, photographFailures, type RportEditor } from "../support/vscode/rport.ts";
import { FIELDS, pasteToken, reach } from "../support/vscode/signIn.ts";
import type { Workbench } from "../support/vscode/workbench.ts";

const HOUR_MS = 3_600_000;
/** For a server that is tried again after some seconds, on a busy machine. */
const SLOW_MS = 60_000;
const ROOT = "root" as UserName;
const OF_ROOT = { params: { userName: ROOT } };
const NO_KEYRING = "no org.freedesktop.secrets [here](command:x)";
const KEYRING = "The keyring of this computer does not keep the sign-in.";

/** The rows of a server that tells nothing. */
const ALONE = [expect.stringMatching(/^Relay, sign-in is not accepted any more/)];

/** One window, and everything around it that may not work: keyring, server, network, clocks, token. */
describe("a window in hard times", () => {
  const resources = new AsyncDisposableStack();
  const clock = new ShiftedClock();
  let backend: RunningBackend;
  let proxy: MoodyProxy;
  let rport: RportEditor;
  let workbench: Workbench;

  beforeAll(async () => {
    proxy = resources.use(await MoodyProxy.start());
    backend = resources.use(await startBackend({ clock, serverUrls: [proxy.url] }));
    proxy.target = backend.port;
    await addUser(backend, ROOT, { groups: ["Administrators" as GroupName] });
    await joinHosts(backend, resources);
    rport = resources.use(await openRport(backend.dataDir));
    workbench = rport.workbench;
    await breakKeyring(workbench, NO_KEYRING);
  });

  afterAll(() => resources.disposeAsync());
  photographFailures(() => workbench);

  test("says that the keyring does not work, and keeps no sign-in that nobody wanted so", async () => {
    await addWithPassword();
    const dialog = workbench.dialog(KEYRING);
    await dialog.getByText("It says: no org.freedesktop.secrets").waitFor();
    expect(await dialog.locator(".dialog-message-container a").count()).toBe(0);
    await workbench.screenshot("hard-keyring");
    expect(await backend.api("listUserTokens", OF_ROOT)).toHaveLength(1);
    await workbench.answerDialog(KEYRING, "Cancel");
    await rport.clients.welcome.getByRole("button", { name: "Add Server" }).waitFor();
    await expect.poll(() => backend.api("listUserTokens", OF_ROOT)).toEqual([]);
  });

  test("stays signed in for this session only, and writes nothing down", async () => {
    await addWithPassword();
    await workbench.answerDialog(KEYRING, "For This Session Only");
    await rport.clients.row("web-01").waitFor();
    const [token] = await backend.api("listUserTokens", OF_ROOT);
    expect(await filesWith(`${token?.prefix}_`)).toEqual([]);
    const stored = await workbench.page.evaluate(() => JSON.stringify({ ...localStorage }));
    expect(stored).not.toContain(`${token?.prefix}_`);
  });

  test.each<[Mood, RegExp]>([
    ["failing", /data from \d\d:\d\d\. .*\[Help\] \(command:x\)/],
    ["html", /data from \d\d:\d\d\. .* status 200/],
    ["silent", /data from \d\d:\d\d\./],
  ])(
    "F-26: dims what it knows while the server is %s, says why, and is back by itself",
    async (mood, said) => {
      const { clients, access } = rport;
      proxy.turn(mood);
      await clients.message.filter({ hasText: said }).waitFor({ timeout: SLOW_MS });
      expect(await clients.message.textContent()).toContain("Reconnecting to Relay");
      await expect
        .poll(() => clients.labels())
        .toContainEqual(expect.stringMatching(/^web-01, .*not up to date$/));
      expect(await clients.message.locator("a").count()).toBe(0);
      expect(await access.menuEntries(FLEET)).toEqual(["Copy Authentication ID"]);
      await workbench.screenshot(`hard-${mood}`);
      proxy.turn("fair");
      await clients.message
        .getByText("Reconnecting")
        .waitFor({ state: "hidden", timeout: SLOW_MS });
      await expect
        .poll(async () => (await clients.labels()).join())
        .not.toContain("not up to date");
      await workbench.clearToasts();
    },
  );

  test("F-11: tells times by the server's clock, which is three hours ahead", async () => {
    clock.pass(3 * HOUR_MS);
    await backend.api("createPairing", { body: { credential_id: FLEET } });
    await backend.api("updateCredential", {
      params: { authId: FLEET },
      body: { limits: { expires_at: new Date(clock.now() + 5.5 * HOUR_MS).toISOString() } },
    });
    await workbench.command("RPort: Refresh");
    await rport.access.toggle(FLEET);
    await rport.access.row(/expires in 9 min/).waitFor({ timeout: SLOW_MS });
    await workbench.screenshot("hard-clock");
    await workbench.command("RPort: Why Is This Client Offline?");
    await workbench.quickInput.pick(/build-arm.*last seen 3 h ago/);
    await expect.poll(shownText).toContain("This computer's clock is 3 h behind that of Relay.");
    await workbench.command("View: Close All Editors");
  });

  test("says at once that its token was ended, and shows nothing more of what it opened", async () => {
    const [token] = await backend.api("listUserTokens", OF_ROOT);
    if (token === undefined) throw new Error("the window has no token");
    const { prefix } = token;
    await backend.api("deleteUserToken", { params: { userName: ROOT, prefix } });
    await workbench.toast("does not accept this sign-in any more").waitFor();
    await expect.poll(() => rport.clients.labels()).toEqual(ALONE);
    await rport.clients.message.getByText(/does not accept this sign-in any more\. \S/).waitFor();
    await workbench.screenshot("hard-revoked");
    await workbench.clearToasts();
  });

  test("says after a night that its token has expired", async () => {
    const expires = new Date(clock.now() + HOUR_MS).toISOString();
    const { token } = await newToken(backend, await signIn(backend, ROOT), { expires_at: expires });
    await workbench.command("RPort: Sign In Again...");
    await pasteToken(workbench, token);
    await workbench.answerDialog(KEYRING, "For This Session Only");
    await rport.clients.row("web-01").waitFor();
    clock.pass(8 * HOUR_MS);
    proxy.turn("fair");
    await rport.clients.message.getByText(/expired/).waitFor({ timeout: SLOW_MS });
    await workbench.toast(/expired/).waitFor();
    await workbench.screenshot("hard-expired");
    await expect.poll(() => rport.clients.labels()).toEqual(ALONE);
    expect(await filesWith(token)).toEqual([]);
  });

  test("ends its token when one signs out, whatever the keyring does", async () => {
    await workbench.clearToasts();
    await workbench.command("RPort: Sign In Again...");
    await showPassword();
    await workbench.answerDialog(KEYRING, "For This Session Only");
    await rport.clients.row("web-01").waitFor();
    const made = async () => (await backend.api("listUserTokens", OF_ROOT)).length;
    const before = await made();
    await workbench.command("RPort: Sign Out of Server...");
    await expect.poll(made).toBe(before - 1);
  });

  test("has no script error", () => {
    expect(workbench.errors).toEqual([]);
  });

  function shownText(): Promise<string> {
    return workbench.inHost(
      async (vscode) => vscode.window.activeTextEditor?.document.getText() ?? "",
    );
  }

  async function addWithPassword(): Promise<void> {
    const { quickInput } = workbench;
    await rport.clients.welcome.getByRole("button", { name: "Add Server" }).click();
    await reach(workbench, { url: proxy.url, fingerprint: backend.fingerprint });
    await showPassword();
    await quickInput.answer(FIELDS.name, "Relay");
  }

  async function showPassword(): Promise<void> {
    const { quickInput } = workbench;
    await quickInput.pick("User and password");
    await quickInput.answer(FIELDS.user, ROOT);
    await quickInput.answer(FIELDS.password, PASSWORD);
  }

  /** The files of the editor in which this stands. */
  async function filesWith(text: string): Promise<readonly string[]> {
    const { root } = rport.editor.server.folders;
    const entries = await readdir(root, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    const found: string[] = [];
    for (const { parentPath, name } of files) {
      const content = await readFile(join(parentPath, name), "latin1").catch(() => "");
      if (content.includes(text)) found.push(name);
    }
    return found;
  }
});
