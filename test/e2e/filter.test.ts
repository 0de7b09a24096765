import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PeerAgent } from "../support/agents/peerAgent.ts";
import { type RunningBackend, startBackend } from "../support/backend/backend.ts";
import { openRport, photographFailures, type RportEditor } from "../support/vscode/rport.ts";
import type { Workbench } from "../support/vscode/workbench.ts";

const WINDOWS = { OS: "windows", OSKernel: "windows", OSFullName: "Windows Server 2022" };

/** Hosts that differ in all that a filter can ask for; the last one is away. */
const HOSTS = [
  { ID: "machine-1", Name: "web-01", IPv4: ["10.0.8.11"], Tags: ["web", "prod"] },
  { ID: "machine-2", Name: "web-02", IPv4: ["10.0.8.12"], Tags: ["web", "canary"] },
  { ...WINDOWS, ID: "machine-3", Name: "db-01", IPv4: ["10.0.9.21"], Tags: ["db", "prod"] },
  { ID: "machine-4", Name: "cache-01", IPv4: ["10.0.9.31"], Tags: [] },
  { ID: "build-arm", Name: "build-arm", IPv4: ["10.0.7.4"], Tags: ["build"] },
];

/** What each filter leaves of them. */
const FILTERS = [
  { text: "web-0", found: ["web-01", "web-02"] },
  { text: "name:cache", found: ["cache-01"] },
  { text: "id:machine-4", found: ["cache-01"] },
  { text: "address:10.0.9", found: ["cache-01", "db-01"] },
  { text: "tag:prod", found: ["db-01", "web-01"] },
  { text: "tag:prod os:windows", found: ["db-01"] },
  { text: "status:offline", found: ["build-arm"] },
  { text: "auth:laptops", found: ["db-01"] },
  { text: "server:elsewhere", found: [] },
  { text: 'tag:"build"', found: ["build-arm"] },
];

describe("the filter of the clients view", () => {
  const resources = new AsyncDisposableStack();
  let backend: RunningBackend;
  let rport: RportEditor;
  let workbench: Workbench;

  beforeAll(async () => {
    backend = resources.use(await startBackend());
    await join(
      "fleet",
      HOSTS.filter(({ Name }) => !/^(db|build)/.test(Name)),
    );
    await join(
      "laptops",
      HOSTS.filter(({ Name }) => Name === "db-01"),
    );
    await using left = new AsyncDisposableStack();
    await join(
      "builders",
      HOSTS.filter(({ Name }) => Name === "build-arm"),
      left,
    );
    await left.disposeAsync();
    const servers = [{ name: "Local Backend", url: "local" }];
    const settings = { "rport.servers": servers };
    rport = resources.use(await openRport(backend.dataDir, { settings }));
    workbench = rport.workbench;
    await rport.clients.row("web-01").waitFor();
    await rport.clients.row("Offline").waitFor();
  });

  afterAll(() => resources.disposeAsync());
  photographFailures(() => workbench);

  async function join(
    user: string,
    hosts: readonly Record<string, unknown>[],
    stack = resources,
  ): Promise<void> {
    const { password } = await backend.api("createCredential", { body: { id: user } });
    const url = backend.url.replace(/^http/, "ws");
    for (const introduction of hosts) {
      stack.use(await PeerAgent.join({ url, user, password, introduction }));
    }
  }

  /** Whether the window has written it down: a browser that is reloaded sooner forgets. */
  function isKept(text: string): Promise<boolean> {
    return workbench.page.evaluate(async (wanted) => {
      const done = <T>(request: IDBRequest<T>) =>
        new Promise<T>((resolve, reject) => {
          request.onsuccess = () => resolve(request.result);
          request.onerror = () => reject(request.error);
        });
      for (const { name } of await indexedDB.databases()) {
        const database = await done(indexedDB.open(name ?? ""));
        for (const store of database.objectStoreNames) {
          const values = await done(database.transaction(store).objectStore(store).getAll());
          if (JSON.stringify(values).includes(wanted)) return true;
        }
        database.close();
      }
      return false;
    }, text);
  }

  /** The names of the clients that are shown, without groups. */
  async function names(): Promise<string[]> {
    const labels = await rport.clients.labels();
    return labels
      .filter((label) => !/^(Online|Offline), /.test(label))
      .map((label) => label.replace(/,.*/, ""));
  }

  test("opens with Ctrl+F and filters by each key while one types", async () => {
    const { clients } = rport;
    const { quickInput, page } = workbench;
    await workbench.setTheme("dark");
    await clients.select("web-01");
    await page.keyboard.press("Control+f");
    await quickInput.title("Filter Clients").waitFor();
    for (const { text, found } of FILTERS) {
      await quickInput.input.fill(text);
      await expect.poll(names, { message: text }).toEqual(found);
    }
    await clients.welcome.getByText("No client matches the filter.").waitFor({ state: "hidden" });
    await quickInput.input.fill("tag:prod");
    await clients.message.getByText("2 of 5 clients match tag:prod").waitFor();
    await quickInput.input.fill("tag:build");
    await clients.message.getByText("1 of 5 clients matches tag:build").waitFor();
    await quickInput.input.fill("tag:b host:web");
    await quickInput.message.getByText('There is no "host:" to filter by.').waitFor();
    await workbench.screenshot("filter-unknown-key");
    // what is wrong changes nothing
    await clients.message.getByText("tag:build").waitFor();
    await quickInput.input.fill("tag:nope");
    await clients.welcome.getByText("No client matches the filter.").waitFor();
    await workbench.screenshot("filter-no-match");
    await page.keyboard.press("Enter");
    await clients.welcome.getByRole("button", { name: "Clear Filter" }).click();
    await clients.row("web-01").waitFor();
    expect(await clients.message.innerText()).toBe("");
  });

  test("keeps the keys, and the selection, while hosts come and go", async () => {
    const { clients } = rport;
    const { quickInput, page } = workbench;
    const selected = clients.locator.locator(".monaco-list-row.selected", { hasText: "cache-01" });
    await clients.select("cache-01");
    await page.keyboard.press("Control+f");
    await quickInput.title("Filter Clients").waitFor();
    await using flapping = new AsyncDisposableStack();
    await page.keyboard.type("ca");
    await join("flapping-1", [{ ID: "flap-1", Name: "cache-98" }], flapping);
    await clients.row("cache-98").waitFor();
    await page.keyboard.type("ch");
    await join("flapping-2", [{ ID: "flap-2", Name: "cache-99" }], flapping);
    await clients.row("cache-99").waitFor();
    await page.keyboard.type("e");
    await flapping.disposeAsync();
    const away = expect.stringMatching(/^cache-99, offline/);
    await expect.poll(() => clients.labels()).toContainEqual(away);
    await page.keyboard.type("-");
    expect(await quickInput.input.inputValue()).toBe("cache-");
    await clients.message.getByText("3 of 7 clients match cache-").waitFor();
    await selected.waitFor();
  });

  test("takes back with Escape what was typed, and keeps it with Enter", async () => {
    const { clients } = rport;
    const { quickInput, page } = workbench;
    await page.keyboard.press("Enter");
    await quickInput.input.waitFor({ state: "hidden" });
    await clients.headerAction("Filter Clients...");
    await quickInput.input.fill("tag:web");
    await clients.message.getByText("2 of 7 clients match tag:web").waitFor();
    await quickInput.cancel();
    await clients.message.getByText("3 of 7 clients match cache-").waitFor();
    await clients.headerAction("Clear Filter");
    await clients.row("web-01").waitFor();
  });

  test("opens what it finds in groups that are closed, and leaves them closed afterwards", async () => {
    const { clients } = rport;
    await clients.headerAction("Filter Clients...");
    await workbench.quickInput.input.fill("-");
    await clients.row("build-arm").waitFor();
    await clients.row("web-01").waitFor();
    await workbench.page.keyboard.press("Enter");
    await workbench.screenshot("filter-dark");
    await workbench.setTheme("light");
    await workbench.screenshot("filter-light");
    await clients.headerAction("Clear Filter");
    await clients.row("build-arm").waitFor({ state: "detached" });
    await clients.row("Offline").waitFor();
  });

  test("is kept after a reload, and cleared for a client that somebody goes to", async () => {
    const { clients } = rport;
    await clients.headerAction("Filter Clients...");
    await workbench.quickInput.answer("Filter Clients", "tag:db");
    await clients.message.getByText("1 of 7 clients matches tag:db").waitFor();
    await expect.poll(() => isKept("tag:db")).toBe(true);
    await workbench.reload();
    await workbench.openContainer("RPort");
    await clients.message.getByText("1 of 7 clients matches tag:db").waitFor();
    // the view says what it shows before it has drawn it
    await expect.poll(names).toEqual(["db-01"]);
    await workbench.command("RPort: Go to Client...");
    await workbench.quickInput.pick("build-arm");
    await clients.locator.locator(".monaco-list-row.selected", { hasText: "build-arm" }).waitFor();
    await expect.poll(() => clients.message.innerText()).toBe("");
    expect(workbench.errors).toEqual([]);
  });
});
