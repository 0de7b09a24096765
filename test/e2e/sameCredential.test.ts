import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startAgent } from "../support/agents/agent.ts";
import { type RunningBackend, startBackend } from "../support/backend/backend.ts";
import type { Pane } from "../support/vscode/pane.ts";
import { openRport, photographFailures, type RportEditor } from "../support/vscode/rport.ts";
import { Workbench } from "../support/vscode/workbench.ts";

/** For what windows, a server and an agent need together on a busy machine. */
const SLOW_MS = 60_000;
const FLEET = "web-fleet";
const OLD = "old-lab";

/** Two windows with the same question open, one of which is answered first. */
describe("two windows acting on the same credential", () => {
  const resources = new AsyncDisposableStack();
  let backend: RunningBackend;
  let rport: RportEditor;
  let first: Workbench;
  let second: Workbench;
  let access: Pane;

  beforeAll(async () => {
    backend = resources.use(await startBackend());
    const { password } = await backend.api("createCredential", { body: { id: FLEET } });
    await backend.api("createCredential", { body: { id: OLD } });
    const client = {
      fingerprint: backend.fingerprint,
      auth: `${FLEET}:${password}`,
      name: "web-01",
    };
    const agent = resources.use(await startAgent({ server: backend.url, client }));
    await agent.online();
    const servers = [{ name: "Local Backend", url: "local" }];
    rport = resources.use(
      await openRport(backend.dataDir, { settings: { "rport.servers": servers } }),
    );
    first = rport.workbench;
    await rport.access.row(FLEET).waitFor({ timeout: SLOW_MS });
    const { server, browser } = rport.editor;
    const other = join(server.folders.root, "other");
    await mkdir(other);
    second = new Workbench(server, await browser.context.newPage());
    await second.open(other);
    await second.openContainer("RPort");
    access = second.pane("Client Access");
    await access.row(FLEET).waitFor({ timeout: SLOW_MS });
  });

  afterAll(() => resources.disposeAsync());
  photographFailures(() => first, " first");
  photographFailures(() => second, " second");

  test("rotate it: whoever is second is told so, and begins it anew only when that is meant", async () => {
    for (const [workbench, pane] of both()) {
      await front(workbench);
      await pane.rowAction(FLEET, "Rotate Credential");
      await workbench.quickInput.pick("24 hours");
      await workbench.dialog(`Rotate ${FLEET}`).waitFor();
    }
    await front(first);
    await first.answerDialog(`Rotate ${FLEET}`, "Rotate");
    await rport.access
      .row(/old secret ends in 23 h/)
      .first()
      .waitFor({ timeout: SLOW_MS });
    await front(second);
    await second.answerDialog(`Rotate ${FLEET}`, "Rotate");
    await second.dialog("was rotated meanwhile").waitFor();
    await second.screenshot("same-rotated-meanwhile");
    await second.answerDialog("was rotated meanwhile", "Cancel");
    await agree(/old secret ends in 23 h/);
    const credential = await credentialOf(FLEET);
    expect(credential).toMatchObject({ clients_connected: 1, rotation: { total: 1, moved: 1 } });
  });

  test("delete it: whoever is second is told that it is gone, and nothing is half done", async () => {
    for (const [workbench, pane] of both()) {
      await front(workbench);
      await pane.contextMenu(OLD, "Delete Credential...");
      await workbench.dialog(`Delete the credential ${OLD}`).waitFor();
    }
    await front(first);
    await first.answerDialog(`Delete the credential ${OLD}`, "Delete Credential");
    await rport.access.row(OLD).waitFor({ state: "detached" });
    await front(second);
    await second.answerDialog(`Delete the credential ${OLD}`, "Delete Credential");
    await second.toast(`${OLD} is not there any more`).waitFor();
    await second.screenshot("same-deleted-meanwhile");
    await access.row(OLD).waitFor({ state: "detached" });
    await second.clearToasts();
  });

  test("delete what another one rotates: the rotation says that it is gone", async () => {
    await front(first);
    await rport.access.contextMenu(FLEET, "Delete Credential...");
    await first.dialog(`Delete the credential ${FLEET}`).waitFor();
    await front(second);
    await access.rowAction(FLEET, "Rotate Credential");
    await second.quickInput.pick("24 hours");
    await second.dialog(`Rotate ${FLEET}`).waitFor();
    await front(first);
    await first.answerDialog(`Delete the credential ${FLEET}`, "Delete Credential");
    await rport.access.row(FLEET).waitFor({ state: "detached" });
    await front(second);
    await second.answerDialog(`Rotate ${FLEET}`, "Rotate");
    await second.toast(`${FLEET} is not there any more`).waitFor();
    await access.row(FLEET).waitFor({ state: "detached" });
    expect([first.errors, second.errors]).toEqual([[], []]);
  });

  function both(): readonly (readonly [Workbench, Pane])[] {
    return [
      [first, rport.access],
      [second, access],
    ];
  }

  /** A page in the background is not drawn, so nothing of it can be clicked. */
  async function front(workbench: Workbench): Promise<void> {
    await workbench.page.bringToFront();
  }

  async function credentialOf(id: string) {
    const all = await backend.api("listCredentials");
    return all.find((one) => one.id === id);
  }

  /** Both windows say the same of all credentials, and this of one. */
  async function agree(said: RegExp): Promise<void> {
    for (const [workbench, pane] of both()) {
      await front(workbench);
      await pane.row(said).first().waitFor({ timeout: SLOW_MS });
    }
  }
});
