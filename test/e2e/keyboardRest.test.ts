import { once } from "node:events";
import { createServer } from "node:net";
import { authIdSchema, clientIdSchema } from "@rport/protocol/ids";
import { ADMINISTRATORS } from "@rport/protocol/people/right";
import { groupNameSchema, userNameSchema } from "@rport/protocol/people/user";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startAgent } from "../support/agents/agent.ts";
import { FLEET, joinHosts } from "../support/agents/hosts.ts";
import { isLetIn, PeerAgent } from "../support/agents/peerAgent.ts";
import { TestApi } from "../support/backend/api.ts";
import { type RunningBackend, startBackend } from "../support/backend/backend.ts";
import { addUser, newToken, signIn } from "../support/backend/person.ts";
import { freePort } from "../support/freePort.ts";
import { REST_COMMANDS } from "../support/vscode/keyboardRest.ts";
import { type KeyboardTrial, openTrial } from "../support/vscode/keyboardTrial.ts";
import type { Keys } from "../support/vscode/keys.ts";
import { photographFailures } from "../support/vscode/rport.ts";
import type { Workbench } from "../support/vscode/workbench.ts";

/** For what a window and a server need together on a busy machine. */
const SLOW_MS = 60_000;
const ANNA = "anna";
/** A credential of nobody, with pairings that are open. */
const LAPTOPS = "laptops";
/** That of a host that came back, and of its copy. */
const TWINS = "twins";
/** A credential whose new clients wait for approval. */
const GATE = "gate";
/** A web server's port on which nothing listens, of an address that no tunnel has. */
const WEB = "127.0.0.2:8080";
const DAY_S = 86_400;
/** More than a page of the audit log has, twice. */
const AUDITED = 220;
const OTHER_KEY = `SHA256:${"b".repeat(43)}`;

const clientsHeader = { view: "Clients" } as const;
const accessHeader = { view: "Client Access" } as const;
const tunnelsHeader = { view: "Tunnels" } as const;

/** What `keyboardCommands.test.ts` leaves: commands that change something, or need a special state. */
describe("the rest of the commands by the keyboard", () => {
  const resources = new AsyncDisposableStack();
  let backend: RunningBackend;
  let workbench: Workbench;
  let keys: Keys;
  let trial: KeyboardTrial;

  beforeAll(async () => {
    backend = resources.use(await startBackend());
    await joinHosts(backend, resources);
    await addUser(backend, ANNA, { groups: [groupNameSchema.parse(ADMINISTRATORS)] });
    trial = await openTrial(resources, backend);
    ({ keys, workbench } = trial);
  });

  afterAll(() => resources.disposeAsync());
  photographFailures(() => workbench);

  test("signing in, and out", async () => {
    const { welcome } = workbench.pane("Clients");
    const isOut = () => welcome.getByText("Sign in to see your clients.").waitFor();
    await isOut();
    await trial.menu(clientsHeader, "Sign In to Server...");
    await trial.signIn(ANNA, "web-01");
    await trial.menu(clientsHeader, "Sign Out of Server...");
    await isOut();
    await trial.palette("Sign In to Server...");
    await trial.signIn(ANNA, "web-01");
    await trial.palette("Sign Out of Server...");
    await isOut();
    await keys.run("RPort: Sign In to Server...");
    await trial.signIn(ANNA, "web-01");
  });

  test("what the view of clients shows", async () => {
    const clients = workbench.pane("Clients");
    await trial.bothWays(clientsHeader, "Hide Offline Clients", async (hide, way) => {
      await hide();
      await clients.row("Offline").waitFor({ state: "detached" });
      if (way === "menu") await trial.menu(clientsHeader, "Show Offline Clients");
      else await trial.palette("Show Offline Clients");
      await clients.row("Offline").waitFor();
    });
    await trial.bothWays(clientsHeader, "Clear Filter", async (clear) => {
      await keys.ask("RPort: Filter Clients...", "Filter Clients", "db-01");
      await clients.row("web-01").waitFor({ state: "detached" });
      await clear();
      await clients.row("web-01").waitFor();
    });
    const web = { view: "Clients", row: "web-02" } as const;
    await trial.bothWays(web, "Unpin", async (unpin, way) => {
      await trial.menu(web, "Pin");
      await clients.row("Pinned").waitFor();
      await unpin();
      if (way === "palette") await keys.pick("web-02");
      await clients.row("Pinned").waitFor({ state: "detached" });
    });
    const opened = () =>
      backend.logLines.filter((line) => line.includes("user socket opened")).length;
    await trial.bothWays(clientsHeader, "Refresh", async (refresh) => {
      const before = opened();
      await refresh();
      await expect.poll(opened).toBe(before + 1);
    });
  });

  test("hosts that are mixed up, or left behind by a rotation", async () => {
    const params = { authId: authIdSchema.parse(FLEET) };
    await backend.api("rotateCredential", { params, body: { grace_seconds: DAY_S } });
    await joinTwins();
    const twin = { view: "Clients", row: "twin" } as const;
    await workbench
      .pane("Clients")
      .row(/twin.*duplicate/)
      .waitFor();
    await trial.menuComesTo({ view: "Clients", row: "web-01" }, "Install Again...", "shows");
    await trial.paletteComesTo("Install Again...");
    await trial.menuComesTo(twin, "Show Duplicate...", "warns");
    await trial.paletteComesTo("Show Duplicate...");
    await trial.menuComesTo(twin, "Move Record Here...", "warns");
    await trial.paletteComesTo("Move Record Here...");
    await trial.paletteComesTo("Show Earlier Record");
    await trial.menu(twin, "Show Earlier Record");
    const selected = workbench.pane("Clients").locator.locator(".monaco-list-row.selected");
    await selected.filter({ hasText: "build-arm" }).waitFor();
    await keys.open("Client Access", FLEET);
    await keys.hears(
      "Client Access",
      /^New secret: \d of \d moved, old secret ends in .*installed again/,
    );
    await keys.hears("Client Access", /^web-01, online, install it again/);
    await keys.run("RPort: Rotate Credential...");
    await keys.pick(FLEET);
    await workbench.quickInput.title(`Rotate ${FLEET}`).waitFor();
    const now = workbench.quickInput.rows("Now");
    await expect
      .poll(() => now.getAttribute("aria-label"))
      .toMatch(/^Now, connected clients move first; \d clients must be installed again$/);
    await trial.leave();
    await keys.row("Client Access", FLEET);
    await keys.press("ArrowLeft");
  });

  test("secrets, pairings, and credentials that nobody uses", async () => {
    const body = { credential_id: authIdSchema.parse(LAPTOPS) };
    await backend.api("createCredential", { body: { id: LAPTOPS } });
    await backend.api("createPairing", { body });
    await backend.api("createPairing", { body });
    await backend.api("createCredential", { body: { id: GATE, limits: { approval: true } } });
    await trial.menuComesTo(accessHeader, "Purge Unused Credentials...", "warns");
    await trial.paletteComesTo("Purge Unused Credentials...", "warns");
    await trial.leave();
    await keys.open("Client Access", TWINS);
    await keys.open("Client Access", "Secrets");
    await keys.hears("Client Access", /^\d secrets?$/);
    await keys.hears("Client Access", /^generated password secret, any host, used /);
    const secret = { view: "Client Access", row: "generated password" } as const;
    await trial.menuComesTo(secret, "Revoke Secret...", "warns");
    await trial.paletteComesTo("Revoke Secret...");
    await trial.leave();
    await keys.row("Client Access", TWINS);
    await keys.press("ArrowLeft");
    await keys.open("Client Access", LAPTOPS);
    await keys.hears("Client Access", /^Pairing \w+…, expires in /);
    const pairings = workbench.pane("Client Access").row(/^Pairing/);
    await trial.menu({ view: "Client Access", row: /^Pairing/ }, "Revoke Pairing Code");
    const open = async () =>
      (await backend.api("listPairings")).filter(
        ({ credential_id: id, state }) => String(id) === LAPTOPS && state === "active",
      ).length;
    await expect.poll(open).toBe(1);
    await expect.poll(() => pairings.count()).toBe(1);
    await trial.paletteComesTo("Revoke Pairing Code");
    // the sheet to install web-01 again has one, too
    await keys.pick(LAPTOPS);
    await expect.poll(open).toBe(0);
  });

  test("joins that wait, and those that were refused", async () => {
    const access = workbench.pane("Client Access");
    const params = { authId: authIdSchema.parse(GATE) };
    const { password } = await backend.api("addSecret", { params, body: {} });
    await using agents = new AsyncDisposableStack();
    const wait = async (name: string) => {
      const { url, fingerprint } = backend;
      const client = { fingerprint, auth: `${GATE}:${password}`, id: name, name };
      agents.use(await startAgent({ server: url, client }));
      await access.row(`${name} waits to join`).waitFor({ timeout: SLOW_MS });
    };
    for (const name of ["new-1", "new-2", "new-3", "new-4"]) await wait(name);
    await keys.hears(
      "Client Access",
      /^new-1 waits to join, .*from 127\.0\.0\.1, credential gate, given/,
    );
    for (const [way, title, name] of [
      ["menu", "Approve Join", "new-1"],
      ["palette", "Approve Join", "new-2"],
      ["menu", "Deny Join", "new-3"],
      ["palette", "Deny Join", "new-4"],
    ] as const) {
      if (way === "menu") await trial.menu({ view: "Client Access", row: name }, title);
      else {
        await trial.paletteComesTo(title);
        await keys.pick(name);
      }
      await access.row(`${name} waits to join`).waitFor({ state: "detached" });
    }
    const in_ = (await backend.api("listClients")).map(({ id }) => String(id));
    expect(in_.filter((id) => id.startsWith("new-")).sort()).toEqual(["new-1", "new-2"]);

    // whoever was turned away knocks again
    await agents.disposeAsync();
    const refused = { view: "Client Access", row: "Refused joins" } as const;
    const refusals = async () => (await backend.api("listRefusals")).length;
    await keys.open(refused.view, refused.row);
    await keys.hears("Client Access", /^Refused joins, \d+ times? from 1 address/);
    await keys.hears("Client Access", /^Not approved, from 127\.0\.0\.1, .*as gate, \d+ times?, /);
    await trial.bothWays(refused, "Clear Refused Joins", async (clear) => {
      await isLetIn({ url: backend.url, user: LAPTOPS, password: "a wrong password" });
      expect(await refusals()).toBeGreaterThan(0);
      await clear();
      await expect.poll(refusals).toBe(0);
    });
  });

  test("tunnels in a browser, and closed", async () => {
    const tunnels = workbench.pane("Tunnels");
    const row = { view: "Tunnels", row: WEB } as const;
    await openTunnel(WEB);
    await trial.bothWays(row, "Open Tunnel in Browser", async (open, way) => {
      const browser = workbench.page.context().waitForEvent("page", { timeout: 2 * SLOW_MS });
      await open();
      if (way === "palette") await keys.pick(WEB);
      await (await browser).close();
      await workbench.page.bringToFront();
      // a pick that opens before the window has the focus back is gone
      await workbench.page.waitForFunction(() => document.hasFocus());
    });
    // this editor has none of its own: what is asked of one is looked at
    await workbench.inHost((vscode) => {
      vscode.commands.registerCommand("simpleBrowser.show", (url: string) =>
        vscode.env.clipboard.writeText(url),
      );
    });
    await trial.bothWays(row, "Open Tunnel in Simple Browser", async (open, way) => {
      await open();
      if (way === "palette") await keys.pick(WEB);
      await expect.poll(() => workbench.clipboard(), { timeout: SLOW_MS }).toMatch(/^https?:/);
    });
    await trial.menu(row, "Close Tunnel");
    await tunnels.row(WEB).waitFor({ state: "detached" });
    await openTunnel(WEB);
    await trial.menuComesTo(tunnelsHeader, "Close All Tunnels", "warns");
    await trial.palette("Close All Tunnels");
    await keys.dialog("Close 1 tunnel of this computer?", "Close Tunnel");
    await tunnels.row(WEB).waitFor({ state: "detached" });
  });

  test("tunnels of before", async () => {
    const tunnels = workbench.pane("Tunnels");
    const isOpen = (place: string) =>
      tunnels.row(new RegExp(`${place}.*idle`)).waitFor({ timeout: SLOW_MS });
    // ports of this computer that nobody else takes meanwhile
    const placeOf = async () => `127.0.0.2:${await freePort()}`;
    const [one, two, three] = [await placeOf(), await placeOf(), await placeOf()] as const;
    const places = [one, two, three];
    for (const place of places) await openTunnel(place);
    await reload(places.length);
    await keys.hears("Tunnels", /^127\.0\.0\.1:\d+, leads to .*127\.0\.0\.2:\d+.*, not open$/);
    await trial.menu({ view: "Tunnels", row: one }, "Reopen Tunnel");
    await isOpen(one);
    await trial.menu(tunnelsHeader, "Reopen All Tunnels");
    for (const place of places) await isOpen(place);
    await reload(places.length);
    await trial.paletteComesTo("Reopen Tunnel");
    await keys.pick(two);
    await isOpen(two);
    await trial.palette("Reopen All Tunnels");
    for (const place of places) await isOpen(place);
    await reload(places.length);
    await trial.menu({ view: "Tunnels", row: one }, "Forget Tunnel");
    await tunnels.row(one).waitFor({ state: "detached" });
    await trial.paletteComesTo("Forget Tunnel");
    await keys.pick(three);
    await tunnels.row(three).waitFor({ state: "detached" });
    await tunnels.row(two).waitFor();
  });

  test("the audit log", async () => {
    const text = () =>
      workbench.inHost(async (vscode) => vscode.window.activeTextEditor?.document.getText() ?? "");
    const change = async () => {
      const params = { groupName: groupNameSchema.parse("operators") };
      await backend.api("putUserGroup", { params, body: { permissions: {} } });
    };
    for (let n = 0; n < AUDITED; n += 1) await change();
    await trial.leave();
    await keys.run("RPort: Show Audit Log");
    await expect.poll(text).toContain("100 entries shown, there are more.");
    await header("Load More of Audit Log");
    await expect.poll(text).toContain("200 entries shown, there are more.");
    await audit("Load More of Audit Log");
    await expect.poll(text).toContain("that is all.");
    await header("Refresh Audit Log");
    await expect.poll(text).toContain("100 entries shown, there are more.");
    await audit("Load More of Audit Log");
    await expect.poll(text).toContain("200 entries shown, there are more.");
    await audit("Refresh Audit Log");
    await expect.poll(text).toContain("100 entries shown, there are more.");
    await header("Filter Audit Log...");
    await trial.comesTo("asks");
    await keys.press("Escape");
    await workbench.quickInput.input.waitFor({ state: "hidden" });
    await audit("Filter Audit Log...");
    await trial.comesTo("asks");
  });

  test("people", async () => {
    const users = workbench.pane("Users");
    await addPeople();
    await keys.open("Users", "bert");
    await keys.hears("Users", /^session from 127\.0\.0\.1, active /);
    const session = { view: "Users", row: "Session from" } as const;
    await trial.menuComesTo(session, "End Session or Token...", "warns");
    await trial.paletteComesTo("End Session or Token...");
    await trial.menuComesTo({ view: "Users", row: "dora" }, "Reset Second Factor...", "warns");
    await trial.paletteComesTo("Reset Second Factor...");
    await trial.menuComesTo({ view: "Users", row: ANNA }, "Rotate What a User Knows...", "asks");
    await trial.leave();
    await keys.open("Users", "Open invitations");
    await keys.hears("Users", /^invitation for Emil, no group, by .*, ends in /);
    await trial.menu({ view: "Users", row: "Emil" }, "Withdraw Invitation");
    await users.row("Emil").waitFor({ state: "detached" });
    await trial.paletteComesTo("Withdraw Invitation");
    await keys.pick("Frida");
    await users.row("Frida").waitFor({ state: "detached" });
    for (const name of ["bert", "cora"]) {
      await backend.api("disableUser", { params: { userName: userNameSchema.parse(name) } });
      await users.row(new RegExp(`${name}.*disabled`)).waitFor();
    }
    await keys.hears("Users", /^bert, disabled, /);
    await trial.menu({ view: "Users", row: "bert" }, "Enable User");
    await users.row(/bert.*disabled/).waitFor({ state: "detached" });
    await trial.paletteComesTo("Enable User");
    await keys.pick("cora");
    await users.row(/cora.*disabled/).waitFor({ state: "detached" });
  });

  test("the log, the settings, and the walkthrough", async () => {
    const log = workbench.page.locator(".output-view");
    const settings = workbench.page.locator(".settings-editor");
    await trial.bothWays(clientsHeader, "Show Log", async (show) => {
      await show();
      await log.waitFor();
      await workbench.inHost((vscode) =>
        vscode.commands.executeCommand("workbench.action.closePanel"),
      );
      await log.waitFor({ state: "hidden" });
    });
    await trial.bothWays(clientsHeader, "Open Settings", async (open) => {
      await open();
      await settings.waitFor();
      // they may be in a box of their own, above the window
      await keys.press("Escape");
      await workbench.inHost((vscode) =>
        vscode.commands.executeCommand("workbench.action.closeAllEditors"),
      );
      await settings.waitFor({ state: "detached" });
    });
    await trial.paletteComesTo("Get Started", "shows");
  });

  test("a server whose key has changed, and one that does not accept the sign-in any more", async () => {
    const { url } = backend;
    await trial.leave();
    const changed = { name: "Relay", url, fingerprint: OTHER_KEY };
    await trial.servers(changed, { name: "Local Backend", url: "local" });
    await keys.hears("Clients", /^Relay, server key has changed$/);
    await keys.hears("Clients", /^Local Backend, unreachable$/);
    await trial.servers(changed);
    await trial.menuComesTo(clientsHeader, "Review Changed Server Fingerprint...", "warns");
    await trial.palette("Review Changed Server Fingerprint...");
    await keys.dialog("another key than before", "Trust the New Key");
    await workbench.pane("Clients").row("web-01").waitFor({ timeout: SLOW_MS });

    const userName = userNameSchema.parse(ANNA);
    for (const { prefix } of await backend.api("listUserTokens", { params: { userName } })) {
      await backend.api("deleteUserToken", { params: { userName, prefix } });
    }
    await keys.hears("Clients", /^Relay, sign-in is not accepted any more/);
    await trial.menuComesTo(clientsHeader, "Sign In Again...", "asks");
    await trial.paletteComesTo("Sign In Again...");
    await trial.signIn(ANNA, "web-01");
  });

  test("a server that is away", async () => {
    await trial.leave();
    await backend[Symbol.asyncDispose]();
    let calls = 0;
    const silent = createServer((socket) => {
      calls += 1;
      socket.destroy();
    });
    await once(silent.listen(backend.port, "127.0.0.1"), "listening");
    resources.defer(() => void silent.close());
    await workbench.pane("Clients").message.getByText("Reconnecting to Relay").waitFor();
    await trial.bothWays(clientsHeader, "Retry Now", async (retry) => {
      const before = calls;
      await retry();
      await expect.poll(() => calls).toBeGreaterThan(before);
    });
  });

  test("are all that are not in the other table, both ways, without a script error", () => {
    expect([...trial.fromPalette].sort()).toEqual([...REST_COMMANDS.palette].sort());
    expect([...trial.fromMenu].sort()).toEqual([...REST_COMMANDS.menu].sort());
    expect(workbench.errors).toEqual([]);
  });

  /** Chooses a command in the header of the audit log, which is in front. */
  async function header(title: string): Promise<void> {
    await keys.editorTitle(title);
    trial.fromMenu.add(title);
  }

  /** Runs a command from the palette that is for the audit log, which stays in front. */
  async function audit(title: string): Promise<void> {
    await keys.run(`RPort: ${title}`);
    trial.fromPalette.add(title);
  }

  async function openTunnel(place: string): Promise<void> {
    await trial.leave();
    await keys.menu("Clients", "web-01", "Open Tunnel...");
    await workbench.quickInput.title("Open Tunnel to web-01").waitFor();
    await keys.search(place);
    await workbench.pane("Tunnels").row(place).waitFor({ timeout: SLOW_MS });
  }

  /** Reloads the window, and waits for the tunnels that were open. */
  async function reload(count: number): Promise<void> {
    await workbench.reload();
    // the new window has an extension host before it is asked for anything
    await workbench.inHost(() => process.pid);
    await keys.view("Tunnels");
    const rows = workbench.pane("Tunnels").row(/not open/);
    await expect.poll(() => rows.count(), { timeout: SLOW_MS }).toBe(count);
  }

  /** A host that comes back under another id, and a copy of it. */
  async function joinTwins(): Promise<void> {
    const { password } = await backend.api("createCredential", { body: { id: TWINS } });
    const url = backend.url.replace(/^http/, "ws");
    const introduction = { ID: clientIdSchema.parse("twin"), Name: "twin", IPv4: ["10.0.9.4"] };
    const login = { url, user: TWINS, password };
    resources.use(await PeerAgent.join({ ...login, introduction }));
    const SessionID = "5c2a4c1e-0000-4000-8000-000000000099";
    const copy = { ...introduction, SessionID, Hostname: "copy.example.com" };
    await expect(PeerAgent.join({ ...login, introduction: copy })).rejects.toThrow();
  }

  /** Users with sessions and a second factor, invitations, and a secret that anna knows. */
  async function addPeople(): Promise<void> {
    for (const name of ["bert", "cora"]) await addUser(backend, name);
    await signIn(backend, "bert");
    const totp = { secret: "sealed", confirmed: true, last_step: null, recovery_hashes: [] };
    await addUser(backend, "dora", { totp });
    for (const name of ["Emil", "Frida"]) {
      await backend.api("createInvitation", { body: { display_name: name } });
    }
    const { token } = await newToken(backend, await signIn(backend, ANNA));
    await new TestApi(backend.url, token).call("createCredential", { body: { id: "of-anna" } });
  }
});
