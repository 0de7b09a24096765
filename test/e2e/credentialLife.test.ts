import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startAgent } from "../support/agents/agent.ts";
import { isLetIn, PeerAgent } from "../support/agents/peerAgent.ts";
import { type RunningBackend, startBackend } from "../support/backend/backend.ts";
import { openRport, photographFailures, type RportEditor } from "../support/vscode/rport.ts";
import type { Theme } from "../support/vscode/settings.ts";
import type { Workbench } from "../support/vscode/workbench.ts";

/** A credential of our own agent and of one that is as RPort's. */
const FLEET = "web-servers";

/** A credential whose new clients wait for approval. */
const GATE = "gate";

/** What the tree and the tabs are looked at in. */
const THEMES: readonly Theme[] = ["light", "highContrast", "dark"];

/** The host whose record was moved, under its own name or its earlier one. */
const TWIN = /twin|old-01/;

/** A name that no side bar is wide enough for. */
const LONG = "laboratory-in-the-basement-of-the-old-building";

/** One more host on one secret than goes without a warning. */
const SHARING = 6;

/** More than a page of the audit log. */
const UNUSED = 105;

/** The life of a credential as somebody leads it in the editor, with a real backend and agents. */
describe("a credential's life in the editor", () => {
  const resources = new AsyncDisposableStack();
  let backend: RunningBackend;
  let rport: RportEditor;
  let workbench: Workbench;
  let password: string;
  let peer: PeerAgent;

  beforeAll(async () => {
    backend = resources.use(await startBackend());
    const body = { id: FLEET, label: "Web servers" };
    ({ password } = await backend.api("createCredential", { body }));
    const own = resources.use(await startAgent(agentOf("web-01")));
    await own.online();
    peer = resources.use(await PeerAgent.join(peerOf("old-01")));
    const servers = [{ name: "Local Backend", url: "local" }];
    rport = resources.use(
      await openRport(backend.dataDir, { settings: { "rport.servers": servers } }),
    );
    workbench = rport.workbench;
    await rport.clients.row("web-01").waitFor();
  });

  afterAll(() => resources.disposeAsync());
  photographFailures(() => workbench);

  test("asks how long the old secret lasts, and says whom a rotation moves and whom not", async () => {
    await rport.access.rowAction(FLEET, "Rotate Credential");
    const now = workbench.quickInput.rows("Now");
    await now.getByText("1 client must be installed again").waitFor();
    await workbench.quickInput.pick("24 hours");
    const dialog = workbench.dialog(`Rotate ${FLEET} on Local Backend?`);
    await dialog.getByText("without a break: 1 client (web-01).").waitFor();
    await dialog.getByText("Cannot be moved by the server: 1 client (old-01).").waitFor();
    await workbench.screenshot("life-rotate");
    await workbench.answerDialog(`Rotate ${FLEET}`, "Rotate");
  });

  test("shows a rotation live, client by client, with who has to be installed again", async () => {
    const { access } = rport;
    await access.row("New secret: 1 of 2 moved").waitFor();
    await access.row(/old-01.*install it again.*cannot be handed/).waitFor();
    await access.row(/web-01.*moved/).waitFor();
    await expect
      .poll(() => access.labels())
      .toContainEqual(expect.stringContaining(`${FLEET}, rotating, 1 of 2 moved`));
    for (const theme of THEMES) {
      await workbench.setTheme(theme);
      await workbench.screenshot(`life-rotating-${theme}`);
    }
  });

  test("has a fresh snippet for a client that cannot be moved, under its name", async () => {
    await rport.access.rowAction(/old-01.*install it again/, "Install Again");
    const sheet = await rport.sheet("Waiting for the first connection");
    await sheet.locator(".snippet").filter({ hasText: "curl" }).waitFor();
    await sheet.getByText("Options", { exact: true }).click();
    await expect.poll(() => sheet.getByLabel("Display name").inputValue()).toBe("old-01");
    await workbench.command("View: Close All Editors");
  });

  test("cancels nothing when told to go on, and ends the old secrets when told to", async () => {
    await command("Cancel Rotation...");
    await workbench.quickInput.pick(FLEET);
    await workbench.answerDialog("1 client has moved and keeps", "Go On Rotating");
    await rport.access.rowAction("New secret", "Finish Rotation");
    const dialog = workbench.dialog(`End the old secrets of ${FLEET} on Local Backend now?`);
    await dialog.getByText("Disconnected at once: 1 client (old-01).").waitFor();
    await workbench.answerDialog("End the old secrets", "End Old Secrets");
    await peer.closed;
    await rport.access.row("New secret").waitFor({ state: "detached" });
    await rport.clients.row("Offline").waitFor();
  });

  test("tells who was cut off and, live, who still tries", async () => {
    const toast = workbench.toast("1 client was cut off");
    await toast.getByRole("button", { name: "Show Who Still Tries" }).click();
    await expect.poll(shownText).toContain("Still trying: nobody so far");
    expect(await isLetIn({ url: backend.url, user: FLEET, password })).toBe(false);
    await expect
      .poll(shownText)
      .toMatch(/1 host tries with it\n {4}127\.0\.0\.1 {2}refused 1 time/);
    await workbench.screenshot("life-still-trying");
    await rport.access.row("Refused joins").waitFor();
    await workbench.command("View: Close All Editors");
  });

  test("says why a client is offline, and follows what happens", async () => {
    await rport.clients.toggle("Offline");
    await rport.clients.row(/old-01.*cut off/).waitFor();
    await rport.clients.contextMenu("old-01", "Why Is This Client Offline?");
    await expect.poll(shownText).toContain("Why is old-01 offline?");
    await expect.poll(shownText).toContain("The server ended the connection.");
    await expect
      .poll(shownText)
      .toMatch(/\nx Secret: The secret that it came with last is revoked\./);
    await workbench.screenshot("life-why-offline");
    await workbench.command("View: Close All Editors");
    await command("Why Is This Client Offline?");
    await workbench.quickInput.pick("old-01");
    await expect.poll(shownText).toContain("Why is old-01 offline?");
    await workbench.command("View: Close All Editors");
    await rport.clients.toggle("Offline");
  });

  test("checks the connection to the server, step by step", async () => {
    await command("Check Connection...");
    await expect.poll(shownText).toMatch(/^# Connection to Local Backend\n\nEverything works\./);
    await workbench.screenshot("life-check-connection");
    await workbench.command("View: Close All Editors");
  });

  test("lists the refused joins until they are cleared", async () => {
    const { access } = rport;
    await access.toggle("Refused joins");
    await access.row(/as web-servers.*127\.0\.0\.1/).waitFor();
    await workbench.screenshot("life-refused");
    await access.rowAction("Refused joins", "Clear Refused Joins");
    await access.row("Refused joins").waitFor({ state: "detached" });
  });

  test("points out another live host with the same client ID", async () => {
    const other = { ...peerOf("twin"), password: await freshPassword() };
    resources.use(await PeerAgent.join(other));
    const SessionID = "5c2a4c1e-0000-4000-8000-000000000099";
    const introduction = { ...other.introduction, SessionID, Hostname: "copy.example.com" };
    await expect(PeerAgent.join({ ...other, introduction })).rejects.toThrow();
    await rport.clients.row(/twin.*duplicate at 127\.0\.0\.1/).waitFor();
    await command("Show Duplicate...");
    await workbench.quickInput.pick("twin");
    await workbench.dialog("Two hosts claim to be twin").getByText("copy.example.com").waitFor();
    await workbench.screenshot("life-duplicate");
    await workbench.answerDialog("Two hosts claim", "Cancel");
  });

  test("moves the record of a host that came back under another ID", async () => {
    const { clients } = rport;
    await command("Show Earlier Record");
    await workbench.quickInput.pick("twin");
    await clients.locator.locator(".monaco-list-row.selected", { hasText: "old-01" }).waitFor();
    await clients.rowAction("twin", "Move Record Here");
    const dialog = workbench.dialog("Move the record of old-01 to twin on Local Backend?");
    await dialog.getByText("(client ID old-01) is offline").waitFor();
    await workbench.screenshot("life-move-record");
    await workbench.answerDialog("Move the record of old-01", "Move Record");
    await expect
      .poll(async () => (await backend.api("listClients")).map(({ id }) => id))
      .not.toContain("old-01");
    await clients.row("Offline").waitFor({ state: "detached" });
  });

  test("lets a new host in by one click, and turns another one away", async () => {
    const { access, clients } = rport;
    const body = { id: GATE, limits: { approval: true } };
    const gate = await backend.api("createCredential", { body });
    const login = (name: string) => agentOf(name, `${GATE}:${gate.password}`);
    const welcome = resources.use(await startAgent(login("web-07")));
    await access.row("web-07 waits to join").waitFor();
    await workbench.toast(`web-07 (127.0.0.1) waits to join with ${GATE}.`).waitFor();
    await workbench.screenshot("life-join");
    await access.rowAction("web-07 waits to join", "Approve Join");
    await welcome.online();
    await clients.row("web-07").waitFor();
    await access.row("web-07 waits to join").waitFor({ state: "detached" });
    await workbench.clearToasts();

    resources.use(await startAgent(login("web-08")));
    const toast = workbench.toast(`web-08 (127.0.0.1) waits to join with ${GATE}.`);
    await toast.getByRole("button", { name: "Deny" }).click();
    await access.row("web-08 waits to join").waitFor({ state: "detached" });
    await access.row("Refused joins").waitFor();
    expect((await clients.labels()).join()).not.toContain("web-08");
  });

  test("revokes one host and lets it in again", async () => {
    const { clients } = rport;
    await clients.contextMenu(TWIN, "Revoke Client...");
    const dialog = workbench.dialog(/Revoke .* on Local Backend\?/);
    await dialog.getByText(/Disconnected at once: 1 client \((twin|old-01)\)\./).waitFor();
    await workbench.answerDialog("Revoke ", "Revoke Client");
    await clients.toggle("Offline");
    await clients.row(/(twin|old-01).*revoked/).waitFor();
    await command("Allow Client Again...");
    await workbench.quickInput.pick(TWIN);
    await workbench.answerDialog("in again on Local Backend?", "Allow Client");
    await expect
      .poll(() => clients.labels())
      .toContainEqual(expect.stringMatching(/^(twin|old-01), offline, last seen/));
  });

  test("revokes one secret after saying which host that cuts off", async () => {
    const { access } = rport;
    await access.toggle("Secrets");
    await access.row(/rotation.*web-01.*used/).waitFor();
    await workbench.screenshot("life-secrets");
    await access.rowAction(/rotation.*web-01.*used/, "Revoke Secret");
    const dialog = workbench.dialog(`Revoke this secret of ${FLEET} on Local Backend?`);
    await dialog.getByText("Disconnected at once: 1 client (web-01).").waitFor();
    await workbench.screenshot("life-revoke-secret");
    await workbench.answerDialog("Revoke this secret", "Revoke Secret");
    await rport.clients.row(/web-01.*last seen/).waitFor();
  });

  test("changes limits one by one, and says at once what is wrong with one", async () => {
    const { quickInput } = workbench;
    await command("Edit Credential...");
    await quickInput.pick(FLEET);
    await quickInput.pick("Addresses");
    await quickInput.title("Addresses").waitFor();
    await quickInput.input.fill("office");
    await quickInput.message.getByText('"office" is no network').waitFor();
    await quickInput.input.fill("127.0.0.0/8");
    await workbench.page.keyboard.press("Enter");
    await quickInput.rows("only from 127.0.0.0/8").waitFor();
    await workbench.screenshot("life-edit");
    await quickInput.pick("Clients");
    await quickInput.answer("Most Clients", "7");
    await quickInput.rows("at most 7").waitFor();
    await quickInput.cancel();
    const { limits } = await backend.api("getCredential", { params: { authId: FLEET } });
    expect(limits).toMatchObject({ cidrs: ["127.0.0.0/8"], max_clients: 7 });
  });

  test("warns of a secret that many hosts share, whatever their names are", async () => {
    const shared = await backend.api("createCredential", { body: { id: LONG } });
    for (let n = 1; n <= SHARING; n += 1) {
      const host = peerOf(`lab-${n}\u202E\n$(trash)`);
      const introduction = { ...host.introduction, ID: `lab-${n}` };
      const login = { ...host, introduction, user: LONG, password: shared.password };
      resources.use(await PeerAgent.join(login));
    }
    await rport.access.row(new RegExp(`${LONG}.*${SHARING} clients share a secret`)).waitFor();
    await rport.clients.row(/lab-1.*\$\(trash\)/).waitFor();
    await workbench.screenshot("life-shared");
    await rport.access.contextMenu(LONG, "Delete Credential...");
    const dialog = workbench.dialog(`Delete the credential ${LONG}`);
    await dialog.getByText(`Disconnected at once: ${SHARING} clients (lab-1`).waitFor();
    await workbench.screenshot("life-delete");
    // so many are not deleted by one click
    await workbench.answerDialog("Delete the credential", "Delete Credential");
    await workbench.quickInput.answer(`Type ${LONG} to confirm`, LONG);
    await workbench.toast(`${LONG} was deleted: ${SHARING} clients were cut off.`).waitFor();
    await rport.access.row(LONG).waitFor({ state: "detached" });
  });

  test("purges the credentials that nobody uses, after showing them", async () => {
    for (let n = 0; n < UNUSED; n += 1) {
      await backend.api("createCredential", { body: { id: `left-over-${n}` } });
    }
    await rport.access.row("left-over-0").waitFor();
    await command("Purge Unused Credentials...");
    const dialog = workbench.dialog(/Delete \d+ unused credentials on Local Backend\?/);
    await dialog.getByText("left-over-1").first().waitFor();
    await workbench.screenshot("life-purge");
    await workbench.answerDialog("unused credentials", `Delete ${UNUSED + 1} Credentials`);
    await rport.access.row("left-over-").first().waitFor({ state: "detached" });
    const kept = await backend.api("listCredentials");
    expect(kept.map(({ id }) => id).sort()).toEqual([GATE, FLEET]);
  });

  test("shows the audit log, more of it, and what a filter leaves", async () => {
    await command("Show Audit Log");
    await expect.poll(shownText).toContain("100 entries shown, there are more.");
    for (const theme of THEMES) {
      await workbench.setTheme(theme);
      await workbench.screenshot(`life-audit-${theme}`);
    }
    await command("Load More of Audit Log");
    await expect.poll(shownText).not.toContain("100 entries shown, there are more.");
    await command("Filter Audit Log...");
    await workbench.quickInput.pick("Action");
    await workbench.quickInput.title("Action in the Audit Log").waitFor();
    // a long list draws only the entries that are in sight
    await workbench.quickInput.input.fill("finish");
    await workbench.quickInput.pick("finish");
    await expect.poll(shownText).toContain("# Filter: Action: finish");
    expect(await shownText()).toMatch(/client\.auth\.rotation finish +web-servers\n/);
    expect(await shownText()).toContain("# 1 entry, that is all.");
    await workbench.screenshot("life-audit-filtered");
  });

  test("reads the audit log anew, and lets nobody write into it", async () => {
    const before = await shownText();
    await command("Refresh Audit Log");
    await expect.poll(shownText).toBe(before);
    await workbench.page.locator(".view-lines").first().click();
    await workbench.page.keyboard.type("forged");
    await workbench.page.getByText("Cannot edit in read-only editor").first().waitFor();
    expect(await shownText()).toBe(before);
  });

  test("has no script error", () => {
    expect(workbench.errors).toEqual([]);
  });

  function agentOf(name: string, auth = `${FLEET}:${password}`) {
    const { url, fingerprint } = backend;
    return { server: url, client: { fingerprint, auth, id: name, name } };
  }

  /** RPort's own agent, which knows no rotation. */
  function peerOf(name: string) {
    const url = backend.url.replace(/^http/, "ws");
    return { url, user: FLEET, password, introduction: { ID: name, Name: name } };
  }

  async function freshPassword(): Promise<string> {
    const created = await backend.api("addSecret", { params: { authId: FLEET }, body: {} });
    return created.password;
  }

  function command(title: string): Promise<void> {
    return workbench.command(`RPort: ${title}`);
  }

  /** The text of the document in front. */
  function shownText(): Promise<string> {
    return workbench.inHost(
      async (vscode) => vscode.window.activeTextEditor?.document.getText() ?? "",
    );
  }
});
