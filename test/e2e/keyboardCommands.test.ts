import { ADMINISTRATORS } from "@rport/protocol/people/right";
import { groupNameSchema } from "@rport/protocol/people/user";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import manifest from "../../extension/package.json" with { type: "json" };
import texts from "../../extension/package.nls.json" with { type: "json" };
import { FLEET, joinHosts } from "../support/agents/hosts.ts";
import { type RunningBackend, startBackend } from "../support/backend/backend.ts";
import { addUser, PASSWORD } from "../support/backend/person.ts";
import { type Editor, openEditor } from "../support/vscode/editor.ts";
import { type Reaction, TRIED_COMMANDS } from "../support/vscode/keyboardCommands.ts";
import { Keys } from "../support/vscode/keys.ts";
import { photographFailures } from "../support/vscode/rport.ts";
import { misspoken } from "../support/vscode/seen.ts";
import { FIELDS } from "../support/vscode/signIn.ts";
import { ensureVsix } from "../support/vscode/vsix.ts";
import type { Workbench } from "../support/vscode/workbench.ts";

/** For what a window and a server need together on a busy machine. */
const SLOW_MS = 60_000;
const ANNA = "anna";
const LAPTOPS = "laptops";
const DAY_S = 86_400;

/** Commands by palette and by menu, by somebody who has no mouse. */
describe("commands by the keyboard", () => {
  const resources = new AsyncDisposableStack();
  let backend: RunningBackend;
  let editor: Editor;
  let workbench: Workbench;
  let keys: Keys;

  beforeAll(async () => {
    backend = resources.use(await startBackend());
    await joinHosts(backend, resources);
    await backend.api("createCredential", { body: { id: LAPTOPS } });
    await backend.api("revokeClient", { params: { clientId: "machine-4" } });
    const params = { authId: FLEET };
    await backend.api("rotateCredential", { params, body: { grace_seconds: DAY_S } });
    const groups = [groupNameSchema.parse(ADMINISTRATORS)];
    await addUser(backend, ANNA, { groups });
    await addUser(backend, "bert", { groups });
    const { url, fingerprint } = backend;
    const settings = { "rport.servers": [{ name: "Relay", url, fingerprint }] };
    editor = resources.use(await openEditor({ vsix: [await ensureVsix()], settings }));
    workbench = editor.workbench;
    keys = new Keys(workbench);
    await keys.view("Clients");
    await keys.tabTo("Sign In");
    await keys.press("Enter");
    await keys.pick("User and password");
    await keys.answer(FIELDS.user, ANNA);
    await keys.answer(FIELDS.password, PASSWORD);
    await workbench.pane("Clients").row("web-01").waitFor({ timeout: SLOW_MS });
    await keys.open("Clients", "Offline");
    await keys.run("RPort: Open Tunnel...");
    await keys.pick("web-01");
    await keys.pick("SSH");
    await workbench.pane("Tunnels").row("SSH").waitFor({ timeout: SLOW_MS });
  });

  afterAll(() => resources.disposeAsync());
  photographFailures(() => workbench);

  test.each(TRIED_COMMANDS)("$title", async ({ title, palette = "asks", place, menu = "asks" }) => {
    await leave();
    await keys.run(`RPort: ${title}`);
    await expect.poll(reaction).toBe(palette);
    expect(await misspoken(workbench.page)).toEqual([]);
    if (place === undefined) return;
    await leave();
    if (place.row === undefined) await keys.title(place.view, title);
    else await keys.menu(place.view, place.row, title);
    await expect.poll(reaction).toBe(menu);
    expect(await misspoken(workbench.page)).toEqual([]);
  });

  test("are those that the manifest has, under these names", () => {
    const all = manifest.contributes.commands.map(({ title }) => titleOf(title));
    const unknown = TRIED_COMMANDS.filter(({ title }) => !all.includes(title));
    expect(unknown).toEqual([]);
  });

  test("find rows that tell their state in words, not by colour alone", async () => {
    await leave();
    await keys.open("Client Access", FLEET);
    const labels = await Promise.all(
      ["Clients", "Client Access", "Tunnels", "Users"].map((view) => workbench.pane(view).labels()),
    );
    const spoken = labels.flat();
    for (const row of SPOKEN) expect(spoken).toContainEqual(expect.stringMatching(row));
    expect(await misspoken(workbench.page)).toEqual([]);
    await workbench.screenshot("keyboard-rows");
    expect(workbench.errors).toEqual([]);
  });

  /** Back to a window in which nothing is asked and no tab is open. */
  async function leave(): Promise<void> {
    await keys.press("Escape");
    await workbench.dialog().waitFor({ state: "detached" });
    await workbench.quickInput.input.waitFor({ state: "hidden" });
    await workbench.inHost(async (vscode) => {
      await vscode.commands.executeCommand("workbench.action.closeAllEditors");
      await vscode.commands.executeCommand("notifications.clearAll");
    });
    await workbench.page.locator(".tab").first().waitFor({ state: "detached" });
    await workbench.page.evaluate(() => navigator.clipboard.writeText(""));
    expect(await reaction()).toBeUndefined();
  }

  /** What the last command has come to so far. */
  async function reaction(): Promise<Reaction | undefined> {
    const { page, quickInput } = workbench;
    if ((await workbench.dialog().count()) > 0) return "warns";
    if ((await quickInput.question()) !== "") return "asks";
    if ((await page.locator(".tab").count()) > 0) return "shows";
    return (await workbench.clipboard()) === "" ? undefined : "copies";
  }
});

/** What is said of rows whose icon has a colour. */
const SPOKEN = [
  /^web-01, online, /,
  /^build-arm, offline, last seen /,
  /^cache-01, offline, .*revoked/,
  /^web-fleet, rotating, \d of \d moved, /,
  /^laptops, .*unused/,
  /^127\.0\.0\.1:\d+, leads to web-01:22 SSH, /,
  /^anna, you, Administrators, connected, /,
  /^bert, Administrators, never signed in/,
];

function titleOf(key: string): string {
  return texts[key.replaceAll("%", "") as keyof typeof texts];
}
