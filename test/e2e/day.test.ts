import { connect } from "node:net";
import type { GroupName } from "@rport/protocol/people/user";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DayFleet, joinDayFleet, LAPTOPS, SERVERS } from "../support/agents/dayFleet.ts";
import { isLetIn } from "../support/agents/peerAgent.ts";
import { type RunningBackend, startBackend } from "../support/backend/backend.ts";
import { openRport, photographFailures, type RportEditor } from "../support/vscode/rport.ts";
import { FIELDS } from "../support/vscode/signIn.ts";
import type { Area, Workbench } from "../support/vscode/workbench.ts";

/** For what a window, a server and an agent need together on a busy machine. */
const SLOW_MS = 60_000;

/** The window, and what of it is worth a picture. */
const WINDOW: Area = { x: 0, y: 0, width: 1280, height: 800 };
const SHEET: Area = { x: 352, y: 36, width: 924, height: 730 };
const TOP: Area = { x: 0, y: 0, width: 960, height: 400 };
const SIDE: Area = { x: 0, y: 36, width: 350, height: 700 };
const PAGE: Area = { x: 0, y: 0, width: 1180, height: 400 };
const DIALOG: Area = { x: 0, y: 36, width: 960, height: 560 };

const OFFICE = "Office";
const OPERATORS = "operators" as GroupName;
const ME = { username: "clara", password: "the password of clara" };

/**
 * What somebody with a fleet does in a day, one after the other in one window, as docs/editor.md tells it.
 * The pictures that begin with "docs-" are those of the documents; `npm run pictures` puts them there.
 */
describe("a day with a fleet", () => {
  const resources = new AsyncDisposableStack();
  let backend: RunningBackend;
  let fleet: DayFleet;
  let rport: RportEditor;
  let workbench: Workbench;
  /** Where the database answers on this computer. */
  let address: string;

  beforeAll(async () => {
    backend = resources.use(await startBackend());
    fleet = await joinDayFleet(backend, resources);
    const groups = ["Administrators" as GroupName];
    await backend.api("createUser", { body: { ...ME, username: ME.username as never, groups } });
    await backend.api("putUserGroup", {
      params: { groupName: OPERATORS },
      body: { permissions: { tunnels: true } },
    });
    const { url, fingerprint } = backend;
    const settings = { "rport.servers": [{ name: OFFICE, url, fingerprint }] };
    rport = resources.use(await openRport(backend.dataDir, { settings }));
    workbench = rport.workbench;
    await workbench.setTheme("light");
  });

  afterAll(() => resources.disposeAsync());
  photographFailures(() => workbench);

  test("signs in", async () => {
    const { quickInput } = workbench;
    const { clients } = rport;
    await clients.welcome.getByRole("button", { name: "Sign In" }).click();
    await quickInput.pick("User and password");
    await quickInput.answer(FIELDS.user, ME.username);
    await quickInput.answer(FIELDS.password, ME.password);
    await clients.row("db-01").waitFor({ timeout: SLOW_MS });
    await picture("clients", SIDE);
  });

  test("finds a host among all of them", async () => {
    const { clients } = rport;
    await command("Group Clients By...");
    await workbench.quickInput.pick("Tag");
    await clients.row(/^staging/).waitFor();
    await workbench.command("RPort: Filter Clients...");
    await workbench.quickInput.input.fill("tag:prod name:web");
    await clients.message.getByText("2 of 9").waitFor();
    await picture("filter", TOP);
    await workbench.page.keyboard.press("Enter");
    await clients.row("web-02").first().waitFor();
    await command("Clear Filter");
    await byStatus();
  });

  test("reaches its database, and is told what to type", async () => {
    const { quickInput, page } = workbench;
    const { clients, tunnels } = rport;
    await clients.rowAction("db-01", "Open Tunnel");
    await quickInput.rows("node_exporter").waitFor({ timeout: SLOW_MS });
    await picture("open-tunnel", TOP);
    await quickInput.input.fill("postgres");
    await quickInput.rows("postgres").first().waitFor();
    await page.keyboard.press("Enter");
    const row = tunnels.row(/PostgreSQL/);
    await row.waitFor({ timeout: SLOW_MS });
    address = ((await row.getAttribute("aria-label")) ?? "").split(",")[0] ?? "";
    expect(await roundTrip("select 1;")).toBe("select 1;");
    await command("Copy Command Line of Tunnel");
    await quickInput.pick(address);
    const [host = "", port = ""] = address.split(":");
    await expect.poll(() => workbench.clipboard()).toContain("psql");
    expect(await workbench.clipboard()).toContain(host);
    expect(await workbench.clipboard()).toContain(port);
  });

  test("has yesterday's tunnel back on its port", async () => {
    const { tunnels } = rport;
    await workbench.reload();
    await workbench.openContainer("RPort");
    await tunnels.row(/not open/).waitFor({ timeout: SLOW_MS });
    await rport.access.row(SERVERS).waitFor();
    await picture("not-open", SIDE);
    await tunnels.rowAction(address, "Reopen Tunnel");
    await tunnels.row(/idle/).waitFor({ timeout: SLOW_MS });
    expect(await roundTrip("again")).toBe("again");
  });

  test("learns why a host is away, and what to look at there", async () => {
    const { clients } = rport;
    fleet.losePower();
    await goTo(/build-arm.*connection broke/);
    await clients.row(/build-arm.*connection/).waitFor({ timeout: SLOW_MS });
    await clients.contextMenu("build-arm", "Why Is This Client Offline?");
    await expect.poll(shownText, { timeout: SLOW_MS }).toContain("build-arm");
    await picture("why-offline", PAGE);
    await workbench.command("View: Close All Editors");
  });

  test("installs another host by one line", async () => {
    await rport.access.rowAction(SERVERS, "Install Client");
    const sheet = await rport.sheet("Waiting for the first connection");
    await sheet.locator(".snippet").filter({ hasText: "curl" }).waitFor();
    await picture("overview", WINDOW);
    await picture("install-sheet", SHEET);
    await workbench.command("View: Close All Editors");
  });

  test("moves all servers to a new secret without visiting one", async () => {
    const { access } = rport;
    await access.rowAction(SERVERS, "Rotate Credential");
    await workbench.quickInput.pick("24 hours");
    const dialog = workbench.dialog(`Rotate ${SERVERS} on ${OFFICE}?`);
    await dialog.getByText("1 client (build-arm). Install it again within 24 hours").waitFor();
    await picture("rotate", DIALOG);
    await workbench.answerDialog(`Rotate ${SERVERS}`, "Rotate");
    await access.row(/db-01.*moved/).waitFor({ timeout: SLOW_MS });
    await picture("rotation", SIDE);
  });

  test("shuts a stolen laptop out, and sees whether it knocks", async () => {
    const { clients } = rport;
    await goTo("anna-laptop");
    await clients.contextMenu("anna-laptop", "Revoke Client...");
    await workbench.dialog(/Revoke .*anna-laptop/).waitFor();
    await picture("revoke", DIALOG);
    await workbench.answerDialog("Revoke ", "Revoke Client");
    await workbench.toast("anna-laptop was revoked: 1 client was cut off.").waitFor();
    await workbench.clearToasts();
    await expect.poll(() => clients.labels()).toContain("Online, 7 clients");
    await goTo(/anna-laptop.*revoked/);
    await clients.row(/anna-laptop.*revoked/).waitFor({ timeout: SLOW_MS });
    const { authId: user, secret: password } = fleet.laptop;
    const knock = { url: backend.url, user, password, introduction: { ID: "anna-laptop" } };
    expect(await isLetIn(knock)).toBe(false);
    await clients.contextMenu("anna-laptop", "Show Who Still Tries");
    await expect.poll(shownText, { timeout: SLOW_MS }).toMatch(/\(anna-laptop\) +refused \d+ time/);
    await picture("still-trying", PAGE);
    await workbench.command("View: Close All Editors");
  });

  test("lets a colleague in", async () => {
    const { quickInput } = workbench;
    await command("Invite User...");
    await quickInput.answer("Who is it for?", "Ben");
    await quickInput.toggle(OPERATORS);
    await workbench.page.keyboard.press("Enter");
    await workbench.dialog("Code for Ben").waitFor();
    await picture("invitation", DIALOG);
    await workbench.answerDialog("Code for Ben", "Copy Code");
  });

  test("sees who did all that", async () => {
    await command("Show Audit Log");
    await expect.poll(shownText, { timeout: SLOW_MS }).toContain(LAPTOPS);
    await picture("audit", PAGE);
    await workbench.command("View: Close All Editors");
  });

  test("knows whether the way to the server is in order", async () => {
    await command("Check Connection...");
    await expect.poll(shownText, { timeout: SLOW_MS }).toContain("Everything works.");
    await picture("check", PAGE);
  });

  test("has no script error", () => {
    expect(workbench.errors).toEqual([]);
  });

  /** As it was in the morning. */
  async function byStatus(): Promise<void> {
    await command("Group Clients By...");
    await workbench.quickInput.pick("Status");
    await rport.clients.row("db-01").waitFor();
  }

  async function goTo(client: string | RegExp): Promise<void> {
    await command("Go to Client...");
    await workbench.quickInput.pick(client);
  }

  const command = (title: string) => workbench.command(`RPort: ${title}`);

  /** One of the documents' pictures. */
  async function picture(name: string, clip: Area): Promise<void> {
    await workbench.screenshot(`docs-${name}`, clip);
  }

  const shownText = () =>
    workbench.inHost(async (vscode) => vscode.window.activeTextEditor?.document.getText() ?? "");

  /** What a program that uses the tunnel gets for this. */
  function roundTrip(text: string): Promise<string> {
    const [host, port] = address.split(":");
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port: Number(port) }, () => socket.write(text));
      socket.once("error", reject);
      socket.once("data", (bytes: Buffer) => {
        socket.destroy();
        resolve(bytes.toString());
      });
    });
  }
});
