import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PeerAgent } from "../support/agents/peerAgent.ts";
import { type RunningBackend, startBackend } from "../support/backend/backend.ts";
import { openRport, photographFailures, type RportEditor } from "../support/vscode/rport.ts";
import type { Workbench } from "../support/vscode/workbench.ts";

const FLEET = "fleet";
/** Enough for several screens. */
const HOSTS = 120;
/** Every so many hosts there is one that comes and goes. */
const FLAPPING_STEP = 5;
/** How often a host goes or comes back. */
const FLAPS = 200;
/** So many of them are away at once. */
const AWAY = 3;
/** A site whose line is cut, and how many hosts it has. */
const SITE = { address: "203.0.113.9", hosts: 6 };
/** In the middle of the list, with hosts that come and go above and below. */
const SELECTED = "host-062";

/** Many hosts that come and go, and what a person sees of it who is looking at one of them. */
describe("many hosts", () => {
  const resources = new AsyncDisposableStack();
  const agents = new Map<string, PeerAgent>();
  let backend: RunningBackend;
  let password: string;
  let rport: RportEditor;
  let workbench: Workbench;

  beforeAll(async () => {
    backend = resources.use(await startBackend({ trustedProxies: ["127.0.0.1"] }));
    ({ password } = await backend.api("createCredential", { body: { id: FLEET } }));
    for (let n = 0; n < HOSTS; n += 1) await join(nameOf(n), `198.51.100.${n}`);
    for (let n = 1; n <= SITE.hosts; n += 1) await join(`site-${n}`, SITE.address);
    // a group of those that are away is there from the beginning
    await join("spare", "192.0.2.1");
    await leave("spare");
    const servers = [{ name: "Local Backend", url: "local" }];
    const settings = { "rport.servers": servers };
    rport = resources.use(await openRport(backend.dataDir, { settings }));
    workbench = rport.workbench;
    await rport.clients.row("host-000").waitFor();
  });

  afterAll(() => resources.disposeAsync());
  photographFailures(() => workbench);

  /** A host that comes through a proxy, from this address. */
  async function join(name: string, address: string): Promise<void> {
    const url = backend.url.replace(/^http/, "ws");
    const introduction = { ID: name, Name: name };
    const headers = { "X-Forwarded-For": address };
    const agent = await PeerAgent.join({ url, user: FLEET, password, introduction, headers });
    agents.set(name, resources.use(agent));
  }

  async function leave(name: string): Promise<void> {
    await agents.get(name)?.[Symbol.asyncDispose]();
  }

  async function goTo(name: string): Promise<void> {
    await workbench.command("RPort: Go to Client...");
    await workbench.quickInput.title("Go to which client?").waitFor();
    await workbench.quickInput.input.fill(name);
    await workbench.quickInput.pick(name);
  }

  async function back(away: number[]): Promise<void> {
    const n = away.shift() ?? 0;
    await join(nameOf(n), `198.51.100.${n}`);
  }

  const statusItem = () => workbench.statusItem("rport.rport", "rport.status");

  /** What is selected in the view, and how far it is scrolled. */
  async function look() {
    const list = rport.clients.locator.locator(".monaco-list");
    return {
      selected: await list
        .locator(".monaco-list-row.selected")
        .evaluateAll((rows) => rows.map((row) => row.getAttribute("aria-label"))),
      top: await list.locator(".monaco-list-rows").evaluate((rows) => rows.style.top),
    };
  }

  test("F-26: a selected row stays selected, and nothing scrolls, while hosts come and go 200 times", async () => {
    const { clients } = rport;
    await goTo(SELECTED);
    await clients.row(SELECTED).click();
    const before = await look();
    expect(before.selected).toEqual([expect.stringContaining(SELECTED)]);
    expect(before.top).not.toBe("0px");
    const flapping = Array.from({ length: FLAPS / 2 }, (_, n) => (n * FLAPPING_STEP) % HOSTS);
    // some are away all the time, above the row that is looked at and below it
    const away: number[] = [];
    for (const n of flapping) {
      await leave(nameOf(n));
      away.push(n);
      if (away.length > AWAY) await back(away);
      // the editor itself marks another row for a moment while it puts its list together
      await expect.poll(look).toEqual(before);
    }
    while (away.length > 0) await back(away);
    const online = HOSTS + SITE.hosts;
    await statusItem()
      .getByText(`${online}/${online + 1}`)
      .waitFor();
    await expect.poll(look).toEqual(before);
    await workbench.page.keyboard.press("Control+c");
    await expect.poll(() => workbench.clipboard()).toBe(SELECTED);
  });

  test("hosts that went together are one row, in which each can be found and worked with", async () => {
    const { clients } = rport;
    const { keyboard } = workbench.page;
    for (let n = 1; n <= SITE.hosts; n += 1) agents.get(`site-${n}`)?.vanish();
    await statusItem()
      .getByText(`${HOSTS}/${HOSTS + SITE.hosts + 1}`)
      .waitFor();
    await goTo("site-4");
    await clients.row("site-4").waitFor();
    await expect
      .poll(async () => (await look()).selected)
      .toEqual([expect.stringContaining("site-4")]);
    await clients.row(/6 hosts behind 203\.0\.113\.9.*went at \d\d:\d\d/).waitFor();
    await workbench.screenshot("went-together");

    expect(await clients.menuEntries("site-4")).toContain("Why Is This Client Offline?");
    await clients.select("site-2", "site-4");
    await clients.contextMenu("site-4", "Copy Name");
    await expect.poll(() => workbench.clipboard()).toBe("site-2\nsite-4");
    await clients.select("site-4");
    await keyboard.press("F2");
    await workbench.quickInput.answer("site-4", "dock-4");
    await clients.row("dock-4").waitFor();

    await join("site-1", SITE.address);
    await clients.row(/5 hosts behind 203\.0\.113\.9/).waitFor();
    for (const n of [2, 3, 5]) await join(`site-${n}`, SITE.address);
    await clients.row(/2 hosts behind 203\.0\.113\.9/).waitFor();
    await join("site-6", SITE.address);
    await clients.row(/hosts behind/).waitFor({ state: "detached" });
    await goTo("dock-4");
    await clients.row("dock-4").waitFor();
    expect(await clients.row(/hosts behind/).count()).toBe(0);
    expect(workbench.errors).toEqual([]);
  });
});

function nameOf(n: number): string {
  return `host-${String(n).padStart(3, "0")}`;
}
