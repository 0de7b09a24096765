import { once } from "node:events";
import { createServer as createWebServer } from "node:http";
import type { AddressInfo } from "node:net";
import { ADMINISTRATORS } from "@rport/protocol/people/right";
import { groupNameSchema } from "@rport/protocol/people/user";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import manifest from "../../extension/package.json" with { type: "json" };
import texts from "../../extension/package.nls.json" with { type: "json" };
import { builtAgent } from "../support/agents/builtAgent.ts";
import { installedAgent } from "../support/agents/installedAgent.ts";
import { PeerAgent } from "../support/agents/peerAgent.ts";
import { type RunningBackend, startBackend } from "../support/backend/backend.ts";
import { addUser, newToken, PASSWORD, signIn } from "../support/backend/person.ts";
import { eventually } from "../support/eventually.ts";
import { silentPort } from "../support/silentPort.ts";
import { type Editor, openEditor } from "../support/vscode/editor.ts";
import { EMPTY_COMPUTER, HomeBackend } from "../support/vscode/emptyComputer.ts";
import { Keys } from "../support/vscode/keys.ts";
import { photographFailures } from "../support/vscode/rport.ts";
import { FIELDS } from "../support/vscode/signIn.ts";
import { ensureVsix } from "../support/vscode/vsix.ts";
import type { Workbench } from "../support/vscode/workbench.ts";

/** For what a window, a server and a host need together on a busy machine. */
const SLOW_MS = 60_000;
/** For a page that an editor has only to draw. */
const SHOWN_MS = 5_000;
/** The editor's own page of walkthroughs says so when it is left before it is drawn. */
const LEFT_UNDRAWN = "Error: Found unexpected null";
const ANNA = "anna";
const LAPTOPS = "laptops";
const OTHER_KEY = `SHA256:${"b".repeat(43)}`;

/** The steps of the walkthrough, as they are called. */
const STEPS = ["connect", "credential", "install", "tunnel", "rotate"] as const;

/** A day of somebody who has no mouse: a window from its first welcome to its last command. */
describe("everything by the keyboard", () => {
  const resources = new AsyncDisposableStack();
  const reached = new Set<string>();
  let mouse = 0;
  let backend: RunningBackend;
  let editor: Editor;
  let workbench: Workbench;
  let keys: Keys;

  beforeAll(async () => {
    const agentFiles = await builtAgent();
    backend = resources.use(await startBackend({ agentFiles }));
    for (const { id } of await backend.api("listCredentials")) {
      await backend.api("deleteCredential", { params: { authId: id } });
    }
    await addUser(backend, ANNA, { groups: [groupNameSchema.parse(ADMINISTRATORS)] });
    editor = resources.use(await openEditor({ ...EMPTY_COMPUTER, vsix: [await ensureVsix()] }));
    resources.use(new HomeBackend(editor));
    workbench = editor.workbench;
    keys = new Keys(workbench);
    await watchMouse();
  });

  afterAll(() => resources.disposeAsync());
  photographFailures(() => workbench);

  test("before there is a connection, each state has its welcome", async () => {
    await welcome("Clients", "start");
    await servers({ name: "Local Backend", url: "local" });
    await welcome("Clients", "localNotRunning");
    await servers({ name: "Relay", url: backend.url, fingerprint: backend.fingerprint });
    await welcome("Clients", "signedOut");
    await servers();
    await welcome("Clients", "start");
  });

  test("the first step of the walkthrough is to add a server", async () => {
    // as at the first start of an editor: old ones show their own walkthrough first
    await keys.run("Help: Welcome");
    await keys.run("View: Close All Editors");
    await getStarted();
    expect(await done()).toEqual([]);
    await keys.tabTo("Add Server");
    await keys.press("Enter");
    await keys.answer(FIELDS.address, backend.url);
    await keys.dialog(backend.fingerprint, "Go On");
    await keys.pick("User and password");
    await keys.answer(FIELDS.user, ANNA);
    await keys.answer(FIELDS.password, PASSWORD);
    await keys.answer(FIELDS.name, "Relay");
    await welcome("Clients", "noClients");
    await welcome("Client Access", "noCredentials");
    await welcome("Tunnels", "noTunnels");
    await ticks(["connect"]);
  });

  test("the second one is to create a credential", async () => {
    await next("credential", "Create Credential");
    await keys.answer("Create Credential", LAPTOPS);
    await workbench.pane("Client Access").row(LAPTOPS).waitFor();
    await ticks(["connect", "credential"]);
  });

  test("the third one is to install the agent by the line that the sheet has", async () => {
    const host = resources.use(await installedAgent());
    await next("install", "Install Client");
    const sheet = await workbench.webview("Waiting for the first connection");
    await keys.tabTo("Options");
    await keys.press("Enter");
    await keys.tabTo("Display name");
    await keys.fill("desk-01");
    await keys.tabTo("Install below this folder");
    await keys.fill(host.prefix);
    await sheet.locator(".snippet").filter({ hasText: host.prefix }).waitFor();
    await keys.tabTo(/^Copy$/);
    await keys.press("Enter");
    await expect.poll(() => workbench.clipboard()).toContain(host.prefix);
    const line = (await workbench.clipboard()).replace("--token-stdin", "--token-stdin --new-id");
    const { code, stderr } = await host.paste(line);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    await workbench.pane("Clients").row("desk-01").waitFor({ timeout: SLOW_MS });
    await ticks(["connect", "credential", "install"]);
  });

  test("the fourth one is to open a tunnel, through which a page comes", async () => {
    const web = createWebServer((_, response) => response.end("the host's page"));
    resources.defer(() => void web.close());
    await once(web.listen(0, "127.0.0.1"), "listening");
    const { port } = web.address() as AddressInfo;
    await next("tunnel", "Open Tunnel");
    await keys.pick("desk-01");
    await workbench.quickInput.title("Open Tunnel to desk-01").waitFor();
    await keys.search(String(port));
    const row = workbench.pane("Tunnels").row(`desk-01:${port}`);
    await row.waitFor({ timeout: SLOW_MS });
    const [address] = ((await row.getAttribute("aria-label")) ?? "").split(",");
    expect(await (await fetch(`http://${address}/`)).text()).toBe("the host's page");
    await ticks(["connect", "credential", "install", "tunnel"]);
  });

  test("the fifth one is to rotate, and then the walkthrough is done", async () => {
    const before = await secretOf("desk-01");
    await next("rotate", "Rotate Credential");
    await keys.pick(LAPTOPS);
    await keys.pick("Now");
    await keys.dialog(`Rotate ${LAPTOPS} on Relay?`, "Rotate Now");
    await eventually(async () => expect(await secretOf("desk-01")).not.toBe(before), SLOW_MS);
    await ticks(STEPS);
    await workbench.screenshot("keyboard-walkthrough-done");
  });

  test("a filter that nothing matches has a welcome, too", async () => {
    await keys.ask("RPort: Filter Clients...", "Filter Clients", "tag:nope");
    await welcome("Clients", "noMatches");
    await keys.tabTo("Clear Filter");
    await keys.press("Enter");
    await workbench.pane("Clients").row("desk-01").waitFor();
  });

  test("clients that are hidden while they are offline have a welcome, too", async () => {
    const { password } = await backend.api("createCredential", { body: { id: "old" } });
    const url = backend.url.replace(/^http/, "ws");
    const introduction = { ID: "gone-01", Name: "gone-01" };
    const gone = await PeerAgent.join({ url, user: "old", password, introduction });
    await gone[Symbol.asyncDispose]();
    await keys.run("RPort: Hide Offline Clients");
    await keys.ask("RPort: Filter Clients...", "Filter Clients", "name:gone");
    await welcome("Clients", "onlyHidden");
    await keys.tabTo("Show Offline Clients");
    await keys.press("Enter");
    await workbench.pane("Clients").row("gone-01").waitFor();
    await keys.run("RPort: Clear Filter");
    await workbench.pane("Clients").row("desk-01").waitFor();
  });

  test("a user without rights, and a server that is away, have welcomes, too", async () => {
    const other = await startBackend();
    resources.defer(() => other[Symbol.asyncDispose]());
    await addUser(other, "paul");
    const { token } = await newToken(other, await signIn(other, "paul"));
    const { url, fingerprint, port } = other;
    await servers({ name: "Relay", url, fingerprint });
    await keys.run("RPort: Sign In to Server...");
    await keys.pick(/Paste a token/);
    await keys.answer(FIELDS.token, token);
    await welcome("Clients", "noVisibleClients");
    await welcome("Client Access", "notAdministrator");
    await welcome("Tunnels", "mayNotTunnel");
    await servers({ name: "Relay", url, fingerprint: OTHER_KEY });
    await welcome("Clients", "changed");
    await servers({ name: "Relay", url, fingerprint });
    await welcome("Clients", "noVisibleClients");
    await other[Symbol.asyncDispose]();
    const silent = await silentPort(port);
    await workbench.reload();
    await welcome("Clients", "connecting");
    await silent[Symbol.asyncDispose]();
    await welcome("Clients", "unreachable");
  });

  test("has been at each welcome that the manifest has", () => {
    const all = manifest.contributes.viewsWelcome.map(({ contents }) => contents);
    expect([...reached].map((state) => `%welcome.${state}%`).sort()).toEqual(all.sort());
  });

  test("has touched no mouse, and has no script error", () => {
    expect(mouse).toBe(0);
    expect(workbench.errors.filter((each) => each !== LEFT_UNDRAWN)).toEqual([]);
  });

  /** Waits for a state's welcome, and pictures it. */
  async function welcome(view: string, state: string): Promise<void> {
    await keys.view(view);
    const text = texts[`welcome.${state}` as keyof typeof texts];
    const [first = ""] = text.split("\n");
    const shown = workbench.pane(view).welcome.getByText(first.replaceAll(/\[|\]\([^)]*\)/g, ""));
    await shown.waitFor({ timeout: SLOW_MS });
    await workbench.screenshot(`welcome-${state}`);
    reached.add(state);
  }

  /** Writes the servers into the setting. */
  function servers(...entries: readonly { readonly [name: string]: string }[]): Promise<void> {
    return workbench.inHost(async (vscode, all) => {
      const settings = vscode.workspace.getConfiguration("rport");
      await settings.update("servers", all, vscode.ConfigurationTarget.Global);
    }, entries);
  }

  /** Shows the walkthrough. Old editors show their own instead where a walkthrough is open already. */
  async function getStarted(): Promise<void> {
    await vi.waitFor(
      async () => {
        await keys.run("RPort: Get Started");
        const isShown = step("connect").waitFor({ timeout: SHOWN_MS });
        await isShown.catch(async (error: unknown) => {
          await keys.run("View: Close Editor");
          throw error;
        });
      },
      { timeout: SLOW_MS },
    );
  }

  /** Opens a step of the walkthrough and presses the button in it, which opens a question or the sheet. */
  async function next(name: (typeof STEPS)[number], button: string): Promise<void> {
    const sheet = workbench.page.getByRole("tab", { name: /^Install Client/ });
    const shown = { timeout: SHOWN_MS };
    // a question goes with the focus, which the page may take back while it is drawn anew
    await vi.waitFor(
      async () => {
        await getStarted();
        await keys.tabTo(titleOf(name));
        await keys.press("Enter");
        await keys.tabTo(button);
        await keys.press("Enter");
        await Promise.any([workbench.quickInput.input.waitFor(shown), sheet.waitFor(shown)]);
      },
      { timeout: SLOW_MS },
    );
  }

  function step(name: (typeof STEPS)[number]) {
    return workbench.page.locator(".getting-started-step", { hasText: titleOf(name) });
  }

  /** Waits until these steps are ticked off, and no others. */
  async function ticks(names: readonly (typeof STEPS)[number][]): Promise<void> {
    await getStarted();
    await expect.poll(done).toEqual(names.map(titleOf));
  }

  /** Titles of the steps that are ticked off. */
  function done(): Promise<string[]> {
    return workbench.page
      .locator(".getting-started-step:has(.codicon-getting-started-step-checked) .step-title")
      .allInnerTexts();
  }

  async function secretOf(name: string): Promise<string | undefined> {
    const client = (await backend.api("listClients")).find((each) => each.name === name);
    if (client === undefined) throw new Error(`there is no ${name}`);
    const { secret } = await backend.api("getClient", { params: { clientId: String(client.id) } });
    return secret?.id;
  }

  /** Counts what a mouse does in this window and in those that follow. */
  async function watchMouse(): Promise<void> {
    const { page } = workbench;
    await page.exposeFunction("mouseDid", () => {
      mouse += 1;
    });
    const watch = () => {
      const { mouseDid } = window as unknown as { mouseDid: () => void };
      window.addEventListener("pointerdown", ({ isTrusted }) => isTrusted && mouseDid(), true);
    };
    await page.addInitScript(watch);
    await page.evaluate(watch);
  }
});

function titleOf(name: (typeof STEPS)[number]): string {
  return texts[`walkthrough.${name}.title`];
}
