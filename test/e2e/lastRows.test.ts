import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { ADMINISTRATORS } from "@rport/protocol/people/right";
import { groupNameSchema } from "@rport/protocol/people/user";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FLEET, joinHosts } from "../support/agents/hosts.ts";
import type { RunningBackend } from "../support/backend/backend.ts";
import { addUser, newToken, signIn } from "../support/backend/person.ts";
import { type LastingBackend, openLasting } from "../support/vscode/lastingBackend.ts";
import { photographFailures, type RportEditor } from "../support/vscode/rport.ts";
import { addByToken } from "../support/vscode/signIn.ts";
import type { Workbench } from "../support/vscode/workbench.ts";

/** For what a window and a server need together on a busy machine. */
const SLOW_MS = 60_000;

/** What a window shows of a server that has not answered yet. */
describe("the rows of last time", () => {
  const resources = new AsyncDisposableStack();
  let again: LastingBackend["again"];
  let backend: RunningBackend;
  let rport: RportEditor;
  let workbench: Workbench;

  beforeAll(async () => {
    ({ backend, rport, again } = await openLasting(resources));
    workbench = rport.workbench;
    await joinHosts(backend, resources);
    await workbench.command("RPort: Add Server...");
    // one that outlives the server's process
    const session = await newUser();
    const { token } = await newToken(backend, session);
    const { url, fingerprint } = backend;
    await addByToken(workbench, { url, fingerprint, token });
    await rport.access.row(FLEET).waitFor();
  });

  afterAll(() => resources.disposeAsync());
  photographFailures(() => workbench);

  /** Somebody who runs the server; answers a session of theirs. */
  async function newUser(): Promise<string> {
    await addUser(backend, "anna", { groups: [groupNameSchema.parse(ADMINISTRATORS)] });
    return signIn(backend, "anna");
  }

  /** How many servers there are of which rows are kept. */
  async function kept(): Promise<number> {
    const { userData } = rport.editor.server.folders;
    const folder = join(userData, "User", "globalStorage", "rport.rport", "rows");
    return (await readdir(folder).catch(() => [])).length;
  }

  test("F-26: are there before the server is, dim, and are true when it is", async () => {
    const { clients } = rport;
    await clients.row("web-01").click();
    const labels = await clients.labels();
    await expect.poll(kept, { timeout: SLOW_MS }).toBe(1);
    await backend[Symbol.asyncDispose]();
    await workbench.reload();
    await clients.row("web-01").waitFor({ timeout: SLOW_MS });
    await clients.message.getByText(/showing rows as of \d\d:\d\d/).waitFor();
    expect((await clients.labels()).slice(0, 5)).toEqual(
      labels.slice(0, 5).map((label) => `${label}, not up to date`),
    );
    await workbench.screenshot("rows-of-last-time");
    await clients.select("web-01");
    await workbench.page.keyboard.press("F2");
    await workbench.toast("is not connected").waitFor();
    await workbench.clearToasts();

    const faces = new Set(["agents", "users", "pairing"] as const);
    const places = [{ host: "127.0.0.1", port: backend.port, faces }];
    backend = await again({ places });
    await workbench.command("RPort: Retry Now");
    await clients.message.getByText("showing rows").waitFor({ state: "hidden" });
    // all hosts went with the server
    await clients.row("web-01").waitFor();
    await expect.poll(async () => (await clients.labels()).join("\n")).not.toContain("up to date");
  });

  test("are forgotten by whoever signs out", async () => {
    expect(await kept()).toBe(1);
    await workbench.command("RPort: Sign Out of Server...");
    await expect.poll(kept, { timeout: SLOW_MS }).toBe(0);
    await rport.clients.welcome.getByText("Sign in to see your clients.").waitFor();
    expect(await rport.clients.labels()).toEqual([]);
    expect(workbench.errors).toEqual([]);
  });
});
