import { execFile } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import type { EventMessage } from "@rport/protocol/events";
import type { Client } from "@rport/protocol/model";
import type { Frame } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PeerAgent } from "../support/agents/peerAgent.ts";
import { EventStream } from "../support/backend/eventStream.ts";
import { type SpawnedBackend, spawnBackend } from "../support/backend/spawnBackend.ts";
import { eventually } from "../support/eventually.ts";
import { tempDirectory } from "../support/tempDirectory.ts";
import { openRport, photographFailures, type RportEditor } from "../support/vscode/rport.ts";

/** For what has to fetch, start or reconnect something. */
const SLOW_MS = 30_000;

/** A host that lost its credential is seen to be offline within this time. */
const CUT_MS = 1_000;

const AUTH_LINE = /^\s*auth\s*=\s*"(?<user>[^:"]+):(?<secret>[^"]+)"/m;

/**
 * The whole life of a host, by what a person does: nothing in here asks the backend to do
 * something; it is only asked what it knows.
 */
describe("a host's life in the editor", () => {
  const resources = new AsyncDisposableStack();
  let rport: RportEditor;
  let backend: SpawnedBackend;
  let dataDir: string;
  let prefix: string;
  let web: Server;
  let sheet: Frame;
  let credential: string;
  let localAddress: string;

  beforeAll(async () => {
    const directory = resources.use(await tempDirectory());
    dataDir = join(directory.path, "data");
    prefix = join(directory.path, "host");
    web = createServer((request, response) => response.end(`the host's page ${request.url}`));
    resources.defer(() => void web.close());
    await once(web.listen(0, "127.0.0.1"), "listening");
    rport = resources.use(await openRport(dataDir));
    resources.defer(() => uninstall(prefix));
  });

  afterAll(() => resources.disposeAsync());
  photographFailures(() => rport.workbench);

  test("finds the local backend by itself as soon as it runs, without signing in", async () => {
    const { clients, access } = rport;
    await clients.welcome.getByText("use it").click();
    await clients.welcome.getByText("No backend is running on this computer").waitFor();

    backend = resources.use(await spawnBackend(dataDir));
    await clients.welcome.getByText("No clients yet").waitFor({ timeout: SLOW_MS });
    await access.row("First credential").waitFor();
    const [label = ""] = await access.labels();
    credential = label.split(",")[0] ?? "";
    expect(label).toMatch(/^fleet-\w{6}, First credential, unused$/);
  });

  test("opens the install sheet from a credential's row", async () => {
    await rport.access.rowAction(credential, "Install Client");
    sheet = await rport.sheet("Waiting for the first connection");
    await sheet.getByText(backend.endpoint.fingerprint).waitFor();
    await sheet.getByText(/Works once, until .*10 min left/).waitFor();
  });

  test("S-15: installs by the snippet in the terminal, which waits for the person's Enter", async () => {
    const { clients, workbench } = rport;
    await sheet.getByText("Options").click();
    await sheet.getByLabel("Display name").fill("web-01");
    await sheet.getByLabel("Tags").fill("blue, eu");
    await sheet.getByLabel("Install below this folder").fill(prefix);
    await sheet.getByLabel("Do not install a service").check();
    const snippet = sheet.locator(".snippet");
    await snippet.filter({ hasText: `--prefix ${prefix} --no-service` }).waitFor();

    await sheet.getByRole("button", { name: "Run in a Terminal" }).click();
    await workbench.terminal.shows("--no-service");
    await expect.poll(() => clients.labels()).toEqual([]);
    await workbench.terminal.type("\n");
    await clients.row("web-01").waitFor({ timeout: SLOW_MS });
  });

  test("shows the new host without a refresh, and tells so on the sheet", async () => {
    await sheet.getByText("Connected: web-01").first().waitFor();
    const spoken = sheet.locator('[aria-live="polite"]', { hasText: "web-01" });
    await spoken.waitFor({ state: "attached" });
    await expect
      .poll(() => rport.clients.labels())
      .toEqual([expect.stringMatching(/^web-01, online, /)]);
    await rport.workbench.screenshot("story-connected");
  });

  test("opens a tunnel to a web server on the host and fetches a page through it", async () => {
    const { clients, tunnels, workbench } = rport;
    const { port } = web.address() as AddressInfo;
    await clients.rowAction("web-01", "Open Tunnel");
    await workbench.quickInput.title("Open Tunnel to web-01").waitFor();
    await workbench.quickInput.input.fill(String(port));
    // a click may meet the list while it is drawn anew
    await workbench.quickInput.rows(String(port)).first().waitFor();
    await workbench.page.keyboard.press("Enter");
    const row = tunnels.row(`web-01:${port}`);
    await row.waitFor();
    localAddress =
      /^127\.0\.0\.1:\d+/.exec((await row.getAttribute("aria-label")) ?? "")?.[0] ?? "";
    // the host is this machine, so the same port was not free
    expect(localAddress).not.toBe(`127.0.0.1:${port}`);
    expect(await page("/hello")).toBe("the host's page /hello");
  });

  test("rotates the credential while the host stays online and moves to a new secret", async () => {
    const { access, workbench } = rport;
    const old = await storedSecret();
    const before = await onlyClient();
    using events = new EventStream(backend.endpoint.url, backend.endpoint.token);
    await events.snapshot();

    await access.rowAction(credential, "Rotate Credential");
    await workbench.quickInput.pick("Now");
    await workbench.answerDialog(`Rotate ${credential} on Local Backend?`, "Rotate Now");
    await access.row("rotated just now").waitFor();
    const after = await events.until((messages) =>
      statesOf(messages, before.id).find(({ secret }) => secret?.id !== before.secret?.id),
    );
    expect(after.secret).toMatchObject({ origin: "rotation", state: "active" });
    expect(after.connected_at).toBe(before.connected_at);
    const states = statesOf(events.messages, after.id).map((client) => client.connection_state);
    expect(new Set(states)).toEqual(new Set(["connected"]));
    expect((await storedSecret()).user).toBe(old.user);
    expect((await storedSecret()).secret).not.toBe(old.secret);
    await expect(signIn(old)).rejects.toThrow();
    expect(await page("/after")).toBe("the host's page /after");
  });

  test("keeps what it knows while the backend is gone, and comes back when it is", async () => {
    const { clients, access } = rport;
    const { secret } = await onlyClient();
    const { port } = new URL(backend.endpoint.url);
    await backend.kill();
    await clients.locator
      .getByText(/Reconnecting to Local Backend.* showing data from \d/)
      .waitFor();
    expect((await clients.labels()).join()).toContain("web-01, online");
    await rport.workbench.screenshot("story-reconnecting");

    // the new process has another token, which is read again
    backend = resources.use(await spawnBackend(dataDir, ["--port", port]));
    const message = clients.locator.getByText("Reconnecting to");
    await message.waitFor({ state: "detached", timeout: SLOW_MS });
    await eventually(async () => {
      expect((await clients.labels()).join()).toContain("web-01, online");
      expect((await access.labels()).join()).toContain("1 client, 1 online");
      // a row that is not drawn anew yet still has the menu of a server that is away
      const spoken = [...(await clients.labels()), ...(await access.labels())];
      expect(spoken.join()).not.toContain("not up to date");
      expect((await onlyClient()).connection_state).toBe("connected");
    }, SLOW_MS);
    // the host signed in anew, with what the rotation gave it
    expect((await onlyClient()).secret).toEqual(secret);
    expect(await page("/again")).toBe("the host's page /again");
  });

  test("deletes the credential: the host is cut off within a second and refused, its row stays", async () => {
    const { access, clients, workbench } = rport;
    const known = await storedSecret();
    await access.contextMenu(credential, "Delete Credential...");
    const dialog = workbench.dialog(`Delete the credential ${credential} on Local Backend?`);
    await dialog.getByText("Disconnected at once: 1 client (web-01).").waitFor();
    await workbench.screenshot("story-delete");
    const cutMs = await millisecondsToOffline(rport, () =>
      workbench.answerDialog("Delete", "Delete Credential"),
    );
    expect(cutMs).toBeLessThan(CUT_MS);

    await expect
      .poll(() => clients.labels())
      .toContainEqual(expect.stringMatching(/^web-01, offline, last seen/));
    await access.row(credential).waitFor({ state: "detached" });
    await expect(signIn(known)).rejects.toThrow();
    await eventually(() => expect(backend.stderr()).toContain("agent login refused"), SLOW_MS);
    await eventually(async () => expect(await agentState()).toMatch(/refused|denied/i), SLOW_MS);
    expect((await onlyClient()).connection_state).toBe("disconnected");
  });

  test("has no script error", () => {
    expect(rport.workbench.errors).toEqual([]);
  });

  async function page(path: string): Promise<string> {
    return (await fetch(`http://${localAddress}${path}`)).text();
  }

  async function onlyClient(): Promise<Client> {
    const listed = await backend.api.call("listClients");
    expect(listed).toHaveLength(1);
    const clientId = String(listed[0]?.id);
    return await backend.api.call("getClient", { params: { clientId } });
  }

  async function storedSecret(): Promise<{ user: string; secret: string }> {
    const text = await readFile(join(prefix, "rport.conf"), "utf8");
    const { user = "", secret = "" } = AUTH_LINE.exec(text)?.groups ?? {};
    expect(secret).not.toBe("");
    return { user, secret };
  }

  async function agentState(): Promise<string> {
    return readFile(join(prefix, "state", "state.json"), "utf8");
  }

  async function signIn({ user, secret }: { user: string; secret: string }): Promise<void> {
    const url = backend.endpoint.url.replace(/^http/, "ws");
    await using _agent = await PeerAgent.signIn({ url, user, password: secret });
  }
});

/** What the event socket has told of a client since it was opened, in order. */
function statesOf(messages: readonly EventMessage[], clientId: string): Client[] {
  const changes = messages.flatMap((each) => (each.type === "delta" ? each.changes : []));
  return changes.flatMap((change) =>
    change.entity === "client" && change.id === clientId && change.value !== null
      ? [change.value]
      : [],
  );
}

/** From the click that `act` makes to the row that says "offline", by the window's own clock. */
async function millisecondsToOffline(
  { workbench, clients }: RportEditor,
  act: () => Promise<void>,
): Promise<number> {
  const measured = clients.locator.evaluate(
    (pane) =>
      new Promise<number>((resolve) => {
        let clickedMs = Number.NaN;
        document.addEventListener("click", () => (clickedMs = performance.now()), {
          capture: true,
          once: true,
        });
        new MutationObserver((_, observer) => {
          if (pane.querySelector('[aria-label^="web-01, offline"]') === null) return;
          observer.disconnect();
          resolve(performance.now() - clickedMs);
        }).observe(pane, { subtree: true, childList: true, attributes: true });
      }),
  );
  await act();
  await workbench.dialog().waitFor({ state: "detached" });
  return measured;
}

/** Ends the agent and removes it as a person would. */
async function uninstall(prefix: string): Promise<void> {
  const agent = join(prefix, "bin", "rport-agent");
  if (!existsSync(agent)) return;
  await promisify(execFile)(agent, ["uninstall", "--prefix", prefix]);
}
