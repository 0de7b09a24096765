import type { GroupName } from "@rport/protocol/people/user";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FLEET, joinHosts } from "../support/agents/hosts.ts";
import { type RunningBackend, startBackend } from "../support/backend/backend.ts";
import { openRport, photographFailures, type RportEditor } from "../support/vscode/rport.ts";
import { FIELDS, reach } from "../support/vscode/signIn.ts";

const ROOT = { username: "root", password: "the password of root" };
const ANNA = { username: "anna", password: "the password of anna" };
const OPERATORS = "operators" as GroupName;

describe("two people, each with a window", () => {
  const resources = new AsyncDisposableStack();
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
  photographFailures(() => root.workbench);
  photographFailures(() => anna.workbench);

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
    await quickInput.rows(OPERATORS).click();
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
    expect(await clients.labels()).toEqual(["Online, 1 client", expect.stringContaining("web-01")]);
    await workbench.screenshot("people-of-anna");
  });

  test("offers a user what that user may do, and says why not to the rest", async () => {
    const { workbench, clients } = anna;
    expect(await clients.menuEntries("web-01")).toEqual([
      ...["Open Tunnel...", "Show Details", "Copy Name", "Copy Client ID"],
      ...["Copy Authentication ID", "Copy Host Address"],
    ]);
    await workbench.command("RPort: Create Credential...");
    await workbench.toast("it is for its administrators").waitFor();
    await workbench.screenshot("people-not-allowed");
    await workbench.clearToasts();
  });

  test("lists one's tokens, changes one's password and the name of a server", async () => {
    const { workbench, clients } = anna;
    const { quickInput } = workbench;
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
    await palette(anna, "Rename Server...");
    await quickInput.answer("What is the server called", "Relay of the team");
    await clients.row("web-01").waitFor();
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

  test("has no script error", () => {
    expect([...root.workbench.errors, ...anna.workbench.errors]).toEqual([]);
  });

  async function palette(of: RportEditor, title: string): Promise<void> {
    await of.workbench.command(`RPort: ${title}`);
  }
});
