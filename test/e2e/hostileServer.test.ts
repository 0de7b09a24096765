import { API_PREFIX } from "@rport/protocol/http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HOSTILE_TEXTS } from "../support/hostileTexts.ts";
import { tempDirectory } from "../support/tempDirectory.ts";
import { openRport, photographFailures, type RportEditor } from "../support/vscode/rport.ts";
import { addByToken } from "../support/vscode/signIn.ts";
import type { Workbench } from "../support/vscode/workbench.ts";
import {
  client,
  credential,
  join,
  offline,
  pairing,
  refusal,
  snapshot,
} from "../unit/extension/entities.ts";
import { FakeServer, type Reply, type Seen } from "../unit/extension/fakeServer.ts";
import { created, PAIRING_ID } from "../unit/extension/installSheet.ts";

const SLOW_MS = 60_000;
/** The key that the server of a snapshot has. */
const FINGERPRINT = "SHA256:one";
const TOKEN = "token-of-the-hostile-server";
/** The marks of all that is hostile in one name that has its place in a row. */
const NAME =
  "$(verified) [NAME](command:workbench.action.quit) <img src=x>\u202Egnp.exe\u001B[31m https://x.example";
/** As many as a view has room for at once. */
const SHOWN = HOSTILE_TEXTS.filter((_, n) => n % 2 === 0);
/** As long as a message of the server lets a text be, with what stands around it. */
const LONG = "A".repeat(1_000_000);

/** What is no text: links, pictures, icons of others. */
const ALIVE = "a[href], a[data-href], img, .codicon-verified, .monaco-link";
const DECEPTIVE = /[\p{Cc}\p{Bidi_Control}]/u;

const REPORT = {
  clients: [{ id: "web-01", name: NAME, connected: true, tunnels: 0 }],
  disconnected: 1,
  pairings: 0,
  offline: [],
};
const FACE = { fingerprint_sha256: FINGERPRINT, sign_in: { password: false, invitation: false } };

const PAIRING = pairing(PAIRING_ID, {
  created_at: new Date().toISOString(),
  expires_at: new Date(Date.now() + 600_000).toISOString(),
});

/** What the server answers, by the end of its paths. */
const ANSWERS: readonly (readonly [RegExp, Reply])[] = [
  [/\/server$/, ok(FACE)],
  [/\/status$/, ok(snapshot().server)],
  [/\/pairings$/, { ...ok(created({ pairing: PAIRING })), status: 201 }],
  [/\/listening$/, ok({ told: true, ports: HOSTILE_TEXTS.map(portOf), left_out: 0 })],
  [/\/clients-auth\/fleet\?.*dry_run/, ok(REPORT)],
  [
    /\/clients-auth\//,
    { status: 500, body: { errors: [{ code: "INTERNAL", title: NAME, detail: "" }] } },
  ],
];

function ok(data: unknown): Reply {
  return { status: 200, body: { data } };
}

function portOf(process: string, n: number) {
  return { port: 20_000 + n, address: "0.0.0.0", process };
}

/** A server that says of hosts whatever could be more than text; our own would clean much of it. */
describe("what a server says of hosts", () => {
  const resources = new AsyncDisposableStack();
  let fake: FakeServer;
  let rport: RportEditor;
  let workbench: Workbench;

  beforeAll(async () => {
    fake = resources.use(await FakeServer.start());
    fake.token = TOKEN;
    fake.reply = ({ url }: Seen) => {
      const path = url.slice(API_PREFIX.length);
      return ANSWERS.find(([pattern]) => pattern.test(path))?.[1] ?? { status: 404 };
    };
    fake.greeting = hostile();
    const { path } = resources.use(await tempDirectory());
    rport = resources.use(await openRport(path));
    workbench = rport.workbench;
    await rport.clients.welcome.getByRole("button", { name: "Add Server" }).click();
    await addByToken(workbench, { url: fake.url, fingerprint: FINGERPRINT, token: TOKEN });
    await rport.clients.row("web-01").waitFor({ timeout: SLOW_MS });
  });

  afterAll(() => resources.disposeAsync());
  photographFailures(() => workbench);

  test("C-07: is text in rows, and in what a screen reader says of them", async () => {
    await rport.access.row(/^fleet/).waitFor();
    await rport.access.toggle("Refused joins");
    await rport.access.row("192.0.2.66").waitFor();
    for (const pane of [rport.clients, rport.access]) {
      await inert(pane.locator);
      const labels = await pane.labels();
      expect(labels.length).toBeGreaterThan(2);
      expect(labels.filter((label) => DECEPTIVE.test(label))).toEqual([]);
    }
    await workbench.screenshot("hostile-rows");
  });

  test("C-07: is text in lists to choose from, programs that listen included", async () => {
    const { quickInput } = workbench;
    await workbench.command("RPort: Go to Client...");
    await quickInput.rows("$ (verified)").first().waitFor();
    await inert(quickInput.widget);
    await quickInput.cancel();
    await rport.clients.rowAction("web-01", "Open Tunnel");
    await quickInput.rows("listening there").waitFor();
    await quickInput.input.fill("NAME");
    await quickInput.rows("[NAME] (command:workbench.action.quit)").waitFor();
    await inert(quickInput.widget);
    await workbench.screenshot("hostile-programs");
    await quickInput.cancel();
  });

  test("C-07: is text in dialogs, messages and documents", async () => {
    const value = join("join-0002", { client_id: "machine-10", name: NAME, hostname: NAME });
    const at = new Date().toISOString();
    const change = { entity: "join", id: value.id, value } as const;
    fake.send({ type: "delta", seq: 2, at, changes: [change] });
    const toast = workbench.toast("waits to join with");
    await toast.waitFor();
    await inert(toast.locator(".notification-list-item-message"));
    await workbench.clearToasts();
    await rport.access.contextMenu(/^fleet/, "Delete Credential...");
    const dialog = workbench.dialog("Delete the credential fleet");
    await dialog.getByText("[NAME]").waitFor();
    await inert(dialog.locator(".dialog-message-container"));
    await workbench.screenshot("hostile-dialog");
    await workbench.answerDialog("Delete the credential fleet", "Delete Credential");
    const failed = workbench.toast("Show Log");
    await failed.waitFor();
    await inert(failed.locator(".notification-list-item-message"));
    await workbench.clearToasts();
    await rport.clients.contextMenu("web-01", "Show Details");
    const text = () =>
      workbench.inHost(async (vscode) => vscode.window.activeTextEditor?.document.getText() ?? "");
    await expect.poll(text).toContain("(verified)");
    const details = await text();
    expect(details.replaceAll("\n", "")).not.toMatch(DECEPTIVE);
    expect(details).not.toMatch(/^NAME|^===|^```/m);
    await workbench.command("View: Close All Editors");
  });

  test("C-07: is text on the install sheet", async () => {
    await rport.access.rowAction(/^fleet/, "Install Client");
    const sheet = await rport.sheet("curl");
    const at = new Date().toISOString();
    const claim = { client_id: "web-01", hostname: NAME, address: "192.0.2.9", at };
    const value = pairing(PAIRING_ID, { ...PAIRING, state: "used", uses_left: 0, claims: [claim] });
    const change = { entity: "pairing", id: value.id, value } as const;
    fake.send({ type: "delta", seq: 3, at, changes: [change] });
    await sheet.getByText("[NAME](command:workbench.action.quit)").first().waitFor();
    expect(await sheet.locator("a[href], img").count()).toBe(0);
    expect((await sheet.locator("body").innerText()).replaceAll(/[\n\t]/g, "")).not.toMatch(
      DECEPTIVE,
    );
    await workbench.screenshot("hostile-sheet");
    await workbench.command("View: Close All Editors");
  });

  test("is refused where it is a megabyte long, and the window goes on", async () => {
    for (const host of [{ name: LONG }, { os_full_name: LONG }, { tags: [LONG] }]) {
      const { type, seq, at, ...lists } = hostile();
      const [first] = lists.clients;
      fake.greeting = {
        ...lists,
        type,
        seq,
        at,
        clients: [{ ...(first ?? client("x")), ...host }],
      };
      fake.cut();
      await rport.clients.message
        .getByText("The server sent something this version does not understand.")
        .waitFor({ timeout: SLOW_MS });
      fake.greeting = hostile();
      await workbench.command("RPort: Refresh");
      await rport.clients.message.waitFor({ state: "hidden", timeout: SLOW_MS });
    }
    expect(workbench.errors).toEqual([]);
  });

  /** Nothing of it is a link, a picture or an icon, and nothing fools an eye. */
  async function inert(of: ReturnType<Workbench["dialog"]>): Promise<void> {
    const found = await of.locator(ALIVE).evaluateAll((all) => all.map((one) => one.outerHTML));
    expect(found.filter((html) => html.includes("NAME") || html.includes("x.example"))).toEqual([]);
    expect(await of.locator(".codicon-verified, img").count()).toBe(0);
    const shown = (await of.allInnerTexts()).join("").replaceAll(/[\n\t]/g, "");
    expect(shown).not.toMatch(DECEPTIVE);
  }
});

function hostile() {
  const clients = SHOWN.map((text, n) =>
    client(`host-${n}`, { name: text, hostname: text, os_full_name: text, tags: [text] }),
  );
  const said = { name: NAME, hostname: NAME, os_full_name: NAME };
  return snapshot({
    at: new Date().toISOString(),
    clients: [
      client("web-01", { name: "web-01", hostname: NAME, os_full_name: NAME, tags: [NAME] }),
      offline("away", { ...said, connection_end: { kind: "left", text: NAME } }),
      ...clients,
    ],
    credentials: [credential("fleet", { label: NAME, clients_total: 1, clients_connected: 1 })],
    joins: [join("join-0001", said)],
    refusals: [refusal("refusal-1", { hostname: NAME })],
  });
}
