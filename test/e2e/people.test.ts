import { createHmac } from "node:crypto";
import type { GroupName } from "@rport/protocol/people/user";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FLEET, joinHosts } from "../support/agents/hosts.ts";
import { type RunningBackend, startBackend } from "../support/backend/backend.ts";
import { PEOPLE_COMMANDS } from "../support/vscode/peopleCommands.ts";
import { openRport, photographFailures, type RportEditor } from "../support/vscode/rport.ts";
import { FIELDS, reach } from "../support/vscode/signIn.ts";

const ROOT = { username: "root", password: "the password of root" };
const ANNA = { username: "anna", password: "the password of anna" };
const OPERATORS = "operators" as GroupName;
/** What a window shows of a sign-in that is over, and how soon. */
const SAID = "The server does not accept this sign-in any more";
const AT_ONCE_MS = 1_000;

/** The code that an authenticator app shows for a secret (RFC 6238, 30 s, six digits). */
function totp(secret: string, step = 0): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...secret].map((sign) => alphabet.indexOf(sign).toString(2).padStart(5, "0"));
  const bytes = bits.join("").match(/.{8}/g) ?? [];
  const key = Buffer.from(bytes.map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + step));
  const mac = createHmac("sha1", key).update(counter).digest();
  const offset = (mac.at(-1) ?? 0) & 15;
  return String((mac.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

describe("two people, each with a window", () => {
  const resources = new AsyncDisposableStack();
  const tried = new Set<string>();
  let backend: RunningBackend;
  let root: RportEditor;
  let anna: RportEditor;

  beforeAll(async () => {
    backend = resources.use(await startBackend());
    await joinHosts(backend, resources);
    await backend.api("putUserGroup", {
      params: { groupName: OPERATORS },
      body: { permissions: { tunnels: true } },
    });
    const groups = ["Administrators" as GroupName];
    await backend.api("createUser", {
      body: { ...ROOT, username: ROOT.username as never, groups },
    });
    await backend.api("setClientAcl", {
      params: { clientId: "machine-1" as never },
      body: { allowed_user_groups: [OPERATORS] },
    });
    root = resources.use(await openRport(backend.dataDir));
    anna = resources.use(await openRport(backend.dataDir));
    await root.workbench.setTheme("light");
  });

  afterAll(() => resources.disposeAsync());
  photographFailures(() => root.workbench, " (root)");
  photographFailures(() => anna.workbench, " (anna)");

  test("adds a server with user and password; a mistake is told under the field", async () => {
    const { workbench, clients } = root;
    const { quickInput } = workbench;
    await clients.welcome.getByRole("button", { name: "Add Server" }).click();
    await quickInput.answer(FIELDS.address, backend.url);
    await workbench.dialog(backend.fingerprint).waitFor();
    await workbench.screenshot("people-fingerprint");
    await workbench.answerDialog(backend.fingerprint, "Back");
    expect(await quickInput.input.inputValue()).toBe(backend.url);
    await reach(workbench, backend);
    await quickInput.title("Add Server").waitFor();
    await workbench.screenshot("people-ways");
    await quickInput.pick("User and password");
    await quickInput.answer(FIELDS.user, ROOT.username);
    await quickInput.answer(FIELDS.password, "not the password");
    await quickInput.message.getByText("The name or the password is wrong.").waitFor();
    await workbench.screenshot("people-wrong-password");
    await quickInput.retry(ROOT.password);
    await quickInput.answer(FIELDS.name, "Relay");
    await clients.row("web-01").waitFor();
    const [token, ...others] = await backend.api("listUserTokens", {
      params: { userName: ROOT.username as never },
    });
    expect(token?.name).not.toBe("");
    expect(others).toEqual([]);
    // the session that made it is over
    const sessions = { params: { userName: ROOT.username as never } };
    expect(await backend.api("listSessions", sessions)).toEqual([]);
  });

  test("shows administrators the users, and invites one by a code", async () => {
    const { workbench, users } = root;
    const { quickInput } = workbench;
    await users.expand();
    await users.row("root").waitFor();
    await palette(root, "Invite User...");
    await quickInput.answer("Who is it for?", "Anna");
    await quickInput.toggle(OPERATORS);
    await workbench.screenshot("people-groups");
    await workbench.page.keyboard.press("Enter");
    await workbench.dialog("Code for Anna").waitFor();
    await workbench.screenshot("people-invitation");
    await workbench.answerDialog("Code for Anna", "Copy Code");
    await users.toggle("Open invitations");
    await users.row("Anna").waitFor();
    await workbench.screenshot("people-users");
  });

  test("adds a server by an invitation, after a wrong code without typing anything again", async () => {
    const { workbench, clients, access } = anna;
    const { quickInput } = workbench;
    const code = await root.workbench.clipboard();
    await clients.welcome.getByRole("button", { name: "Add Server" }).click();
    await reach(workbench, backend);
    await quickInput.pick("Invitation code");
    await quickInput.answer(FIELDS.invitation, "WRONG-WRONG");
    await quickInput.answer(FIELDS.newName, ANNA.username);
    await quickInput.answer(FIELDS.newPassword, ANNA.password);
    await quickInput.answer(FIELDS.again, "something else");
    await quickInput.message.getByText("not the same as before").waitFor();
    await quickInput.retry(ANNA.password);
    await quickInput.message.getByText("This code opens nothing.").waitFor();
    await quickInput.retry(code);
    await quickInput.widget.filter({ hasText: FIELDS.newName }).waitFor();
    expect(await quickInput.input.inputValue()).toBe(ANNA.username);
    await quickInput.answer(FIELDS.newName, ANNA.username);
    await quickInput.answer(FIELDS.newPassword, ANNA.password);
    await quickInput.answer(FIELDS.again, ANNA.password);
    await quickInput.answer(FIELDS.name, "Relay");
    await clients.row("web-01").waitFor();
    await access.welcome.getByText("Only administrators see").waitFor();
    // until it is known what she may do, rows that are drawn are marked as not up to date
    const alone = ["web-01, online, Debian 12.5"];
    await expect.poll(() => clients.labels()).toEqual(alone);
    await workbench.screenshot("people-of-anna");
  });

  test("offers a user what that user may do, and says why not to the rest", async () => {
    const { workbench, clients } = anna;
    expect(await clients.menuEntries("web-01")).toEqual([
      ...["Open Tunnel...", "Connect with Remote-SSH..."],
      ...["Connect with Remote-SSH in New Window...", "Show Details", "Copy Name"],
      ...["Copy Client ID", "Copy Authentication ID", "Copy Host Address", "Copy Link"],
      ...["Copy SSH Command", "Pin", "Set SSH User..."],
    ]);
    await workbench.command("RPort: Create Credential...");
    await workbench.toast("it is for its administrators").waitFor();
    await workbench.screenshot("people-not-allowed");
    await workbench.clearToasts();
  });

  test("sets up an authenticator app, whose code is asked for at the next sign-in", async () => {
    const { workbench, clients } = anna;
    const { quickInput } = workbench;
    const first = await setUpApp();
    await workbench.screenshot("people-second-factor");
    await quickInput.answer("type the code that the app shows", "000000");
    await quickInput.message.getByText("The code is wrong.").waitFor();
    await quickInput.retry(totp(first.secret));
    await workbench.said("Signing in takes a code of the app from now on.");
    // a page that has the focus while it loads takes the keys, and passes none on
    await clients.row("web-01").click();
    await workbench.clearToasts();

    await palette(anna, "Set Up Authenticator App...");
    await workbench.answerDialog("Replace your authenticator app for Relay?", "Replace");
    await quickInput.answer("A code of the app that you have", first.recoveryCode);
    await quickInput.widget.filter({ hasText: "The password of anna" }).waitFor();
    await quickInput.cancel();
    await workbench.said("Signing in takes the password alone from now on.");
    await workbench.clearToasts();

    const { secret } = await setUpApp();
    await quickInput.answer("type the code that the app shows", totp(secret));
    await workbench.said("Signing in takes a code of the app from now on.");
    await clients.row("web-01").click();
    await workbench.command("View: Close All Editors");
    await workbench.clearToasts();

    await workbench.command("RPort: Sign Out of Server...");
    await clients.welcome.getByText("Sign in to see your clients.").waitFor();
    const ofAnna = { params: { userName: ANNA.username as never } };
    await expect.poll(() => backend.api("listUserTokens", ofAnna)).toEqual([]);
    await workbench.command("RPort: Sign In to Server...");
    await quickInput.pick("User and password");
    await quickInput.answer(FIELDS.user, ANNA.username);
    await quickInput.answer(FIELDS.password, ANNA.password);
    await workbench.screenshot("people-code");
    // the code of this half minute was shown already, and works once
    await quickInput.answer(FIELDS.code, totp(secret, 1));
    await clients.row("web-01").waitFor();
    expect(await backend.api("listUserTokens", ofAnna)).toHaveLength(1);
  });

  test("changes the name of a server, lists one's tokens, changes one's password", async () => {
    const { workbench, clients } = anna;
    const { quickInput } = workbench;
    await palette(anna, "Rename Server...");
    await quickInput.answer("What is the server called", "Relay of the team");
    // another question would take the place of one whose answer is still looked at
    await quickInput.input.waitFor({ state: "hidden" });
    await palette(anna, "Manage My Tokens...");
    await quickInput.rows("this editor").waitFor();
    await workbench.screenshot("people-tokens");
    await quickInput.cancel();
    await palette(anna, "Change My Password...");
    await quickInput.answer("has now", "wrong");
    await quickInput.answer("The new password, of", "a new password of anna");
    await quickInput.answer("The new password again", "a new password of anna");
    await quickInput.message.getByText("The old password is wrong.").waitFor();
    await quickInput.cancel();
    await quickInput.input.waitFor({ state: "hidden" });
    await clients.row("web-01").waitFor();
  });

  test("disables a user who is looking: the window says so at once, and its tunnels end", async () => {
    const { clients, tunnels, workbench } = anna;
    await clients.contextMenu("web-01", "Open Tunnel...");
    await workbench.quickInput.title("Open Tunnel to web-01").waitFor();
    await workbench.quickInput.input.fill("127.0.0.2:8080");
    await workbench.quickInput.rows("127.0.0.2:8080").first().waitFor();
    await workbench.page.keyboard.press("Enter");
    await tunnels.row("127.0.0.2:8080").waitFor();

    const { users } = root;
    await expect.poll(async () => (await users.labels()).join("\n")).toContain("connected");
    await users.contextMenu(ANNA.username, "Disable User...");
    await root.workbench.dialog("Disable anna on Relay?").getByText("Ended at once:").waitFor();
    await root.workbench.screenshot("people-disable");
    await root.workbench.answerDialog("Disable anna", "Disable");
    tried.add("Disable User...");
    const sinceMs = Date.now();
    await workbench.toast(SAID).waitFor();
    expect(Date.now() - sinceMs).toBeLessThan(AT_ONCE_MS + 1_000);
    await tunnels.row("127.0.0.2:8080").waitFor({ state: "detached" });
    await clients.message.getByText("The user is disabled.").waitFor();
    const alone = [expect.stringMatching(/^Relay of the team/)];
    await expect.poll(() => clients.labels()).toEqual(alone);
    await workbench.screenshot("people-disabled");
    await root.workbench.toast("anna on Relay is disabled").waitFor();
    await root.workbench.screenshot("people-has-disabled");
    await root.workbench.clearToasts();
  });

  test("keeps name and fingerprint when one signs in again", async () => {
    await root.users.contextMenu(ANNA.username, "Enable User");
    tried.add("Enable User");
    const { workbench, clients } = anna;
    const { quickInput } = workbench;
    await workbench.clearToasts();
    await clients.rowAction("Relay of the team", "Sign In Again");
    tried.add("Sign In Again...");
    await quickInput.title("Sign In to Relay of the team").waitFor();
    await quickInput.pick("User and password");
    await quickInput.answer(FIELDS.user, ANNA.username);
    await quickInput.answer(FIELDS.password, ANNA.password);
    await quickInput.widget.filter({ hasText: FIELDS.code }).waitFor();
    await quickInput.cancel();
    await root.users.contextMenu(ANNA.username, "Reset Second Factor...");
    tried.add("Reset Second Factor...");
    await root.workbench.answerDialog("Reset the second factor of anna", "Reset");
    await root.workbench.toast("signs in with the password alone").waitFor();
    await clients.rowAction("Relay of the team", "Sign In Again");
    await quickInput.pick("User and password");
    await quickInput.answer(FIELDS.user, ANNA.username);
    await quickInput.answer(FIELDS.password, ANNA.password);
    await clients.row("web-01").waitFor();
  });

  test("ends one token, and changes groups", async () => {
    const { users, workbench } = root;
    const { quickInput } = workbench;
    await palette(root, "End Session or Token...");
    await quickInput.pick(ANNA.username);
    await quickInput.pick(/used|never/);
    await workbench.answerDialog("End the token", "End");
    await anna.workbench.toast(SAID).waitFor();
    await palette(root, "Change Groups of User...");
    await quickInput.pick(ANNA.username);
    await quickInput.toggle(OPERATORS);
    await workbench.page.keyboard.press("Enter");
    await users.row(/anna.*no group/).waitFor();
    await palette(root, "Withdraw Invitation");
    await workbench.toast("No invitation is open.").waitFor();
    await workbench.clearToasts();
  });

  test("rotates what an administrator could know who leaves", async () => {
    const { access, workbench } = root;
    const { quickInput } = workbench;
    await workbench.command("RPort: Create Credential...");
    await quickInput.answer("Create Credential", "laptops");
    await access.row("laptops").waitFor();
    await workbench.clearToasts();
    await palette(root, "Rotate What a User Knows...");
    await quickInput.pick(ROOT.username);
    await quickInput.title("1 credential").waitFor();
    await quickInput.pick("24 hours");
    await workbench.dialog("Rotate 1 credential").getByText("laptops: 1 secret known").waitFor();
    await workbench.screenshot("people-rotate-known");
    await workbench.answerDialog("Rotate 1 credential", "Rotate All");
    await workbench.toast("1 credential rotate").waitFor();
    await access.row(FLEET).waitFor();
  });

  test("has tried every command of people", () => {
    expect([...tried].sort()).toEqual([...PEOPLE_COMMANDS].sort());
  });

  test("has no script error", () => {
    expect([...root.workbench.errors, ...anna.workbench.errors]).toEqual([]);
  });

  /** Goes as far as the question for the first code; the page itself runs nothing that could be read. */
  async function setUpApp() {
    const { workbench } = anna;
    await palette(anna, "Set Up Authenticator App...");
    await workbench.quickInput.answer("The password of anna", ANNA.password);
    const shown = workbench.toast("are shown once, in the tab");
    const copied = async (button: string, form: RegExp) => {
      await shown.getByRole("button", { name: button }).click();
      await expect.poll(() => workbench.clipboard()).toMatch(form);
      return workbench.clipboard();
    };
    const secret = await copied("Copy Setup Key", /^[A-Z2-7]{32,}$/);
    const codes = await copied("Copy Recovery Codes", /^[a-z0-9]+-[a-z0-9]+\n/);
    return { secret, recoveryCode: codes.split("\n")[0] ?? "" };
  }

  async function palette(of: RportEditor, title: string): Promise<void> {
    tried.add(title);
    await of.workbench.command(`RPort: ${title}`);
  }
});
