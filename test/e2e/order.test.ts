import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PeerAgent } from "../support/agents/peerAgent.ts";
import type { RunningBackend } from "../support/backend/backend.ts";
import { openFleet, startFleet } from "../support/vscode/fleet.ts";
import { photographFailures, type RportEditor } from "../support/vscode/rport.ts";
import type { Workbench } from "../support/vscode/workbench.ts";

/** A host that says a tag itself. */
const TAGGED = { ID: "machine-9", Name: "lab-01", OSFullName: "Debian 12.5", Tags: ["lab"] };

const LAB = "lab-hosts";

/** What keeps clients in order: groups, pins, names and tags. */
describe("the order of the clients view", () => {
  const resources = new AsyncDisposableStack();
  let backend: RunningBackend;
  let password: string;
  let tagged: PeerAgent;
  let rport: RportEditor;
  let workbench: Workbench;

  beforeAll(async () => {
    ({ backend, password } = await startFleet(resources, LAB));
    tagged = resources.use(await joinTagged({}));
    rport = await openFleet(resources, backend);
    workbench = rport.workbench;
  });

  afterAll(() => resources.disposeAsync());
  photographFailures(() => workbench);

  async function joinTagged(said: Record<string, unknown>): Promise<PeerAgent> {
    const url = backend.url.replace(/^http/, "ws");
    const introduction = { ...TAGGED, ...said };
    return await PeerAgent.join({ url, user: LAB, password, introduction });
  }

  /** The rows from the top, without what changes by itself. */
  const rows = async () =>
    (await rport.clients.labels()).map((label) => label.split(", ").slice(0, 2).join(", "));

  async function choose(command: string, value: string): Promise<void> {
    await workbench.command(`RPort: ${command}`);
    await workbench.quickInput.pick(value);
  }

  /** Back to how it was; nothing moves any more when that is shown. */
  async function groupByStatus(): Promise<void> {
    await choose("Group Clients By...", "Status");
    await expect.poll(async () => (await rows())[0]).toMatch(/^Online, /);
    await rport.clients.row("db-01").waitFor();
  }

  test("is in groups by what one chooses, and sorted by when clients were seen", async () => {
    await choose("Group Clients By...", "Operating System");
    await expect
      .poll(rows)
      .toEqual(["Alpine 3.21, 1 client", "Debian 12.5, 3 clients", "Ubuntu 24.04, 2 clients"]);
    await rport.clients.toggle("Ubuntu");
    await rport.clients.row("db-01").waitFor();
    await workbench.setTheme("dark");
    await workbench.screenshot("groups-dark");
    await choose("Group Clients By...", "Server");
    await expect.poll(async () => (await rows())[0]).toBe("build-arm, offline");
    await choose("Sort Clients By...", "Last Seen");
    await expect.poll(async () => (await rows()).at(-1)).toBe("build-arm, offline");
    await choose("Sort Clients By...", "Name");
  });

  test("has pinned clients above all others", async () => {
    await choose("Pin", "web-02");
    await expect
      .poll(async () => (await rows()).slice(0, 2))
      .toEqual(["Pinned, 1 client", "web-02, online"]);
    await choose("Unpin", "web-02");
    await expect.poll(async () => (await rows())[0]).toBe("build-arm, offline");
  });

  test("is made by tags that several get at once, which their agents do not take back", async () => {
    const { clients } = rport;
    const { quickInput, page } = workbench;
    await clients.select("lab-01", "web-01");
    await clients.contextMenu("web-01", "Edit Tags...");
    await quickInput.title("Edit Tags of 2 Clients").waitFor();
    await quickInput.input.fill("prod");
    await quickInput.rows("new tag").click();
    await workbench.screenshot("edit-tags");
    await quickInput.input.fill("");
    await page.keyboard.press("Enter");
    await clients.row(/web-01.*prod/).waitFor();
    await clients.row(/lab-01.*lab · prod/).waitFor();
    await choose("Group Clients By...", "Tag");
    await expect.poll(rows).toEqual(["lab, 1 client", "prod, 2 clients", "Untagged, 4 clients"]);
    await tagged[Symbol.asyncDispose]();
    resources.use(await joinTagged({ Tags: ["other"] }));
    await clients.toggle("prod");
    await clients.row("lab-01").waitFor();
    expect(await rows()).not.toContainEqual(expect.stringContaining("other"));
    await workbench.setTheme("light");
    await workbench.screenshot("groups-light");
    await groupByStatus();
  });

  test("puts clients that are dragged onto a tag under it, and takes them back", async () => {
    const { clients } = rport;
    await choose("Group Clients By...", "Tag");
    await clients.toggle("Untagged");
    await clients.row("cache-01").dragTo(clients.row("lab"));
    await expect.poll(rows).toContain("lab, 2 clients");
    const told = workbench.toast("cache-01 has the tag lab now.");
    await told.getByRole("button", { name: "Undo" }).click();
    await expect.poll(rows).toContain("lab, 1 client");
    await groupByStatus();
  });

  test("calls clients by the names that they were given, one after the other with F2", async () => {
    const { clients } = rport;
    const { quickInput, page } = workbench;
    await clients.select("db-01", "cache-01");
    await page.keyboard.press("F2");
    await quickInput.title(/Rename .* \(1 of 2\)/).waitFor();
    const first = (await quickInput.input.inputValue()).replace("-01", "-one");
    await quickInput.input.fill(first);
    await page.keyboard.press("Enter");
    await quickInput.title(/Rename .* \(2 of 2\)/).waitFor();
    const second = (await quickInput.input.inputValue()).replace("-01", "-two");
    await quickInput.input.fill(second);
    await page.keyboard.press("Enter");
    await clients.row(first).waitFor();
    await clients.row(second).waitFor();
    expect([first, second].map((name) => name.split("-")[0]).sort()).toEqual(["cache", "db"]);
    // an empty name believes the host again
    await clients.select(second);
    await page.keyboard.press("F2");
    await quickInput.title(`Rename ${second}`).waitFor();
    await quickInput.input.fill("");
    await page.keyboard.press("Enter");
    await clients.row(second.replace("-two", "-01")).waitFor();
    expect(workbench.errors).toEqual([]);
  });
});
