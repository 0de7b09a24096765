import { pairingTokenSchema } from "@rport/protocol/pairing";
import { tokenParts } from "@rport/protocol/sealing";
import type { Frame } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FLEET, joinHosts } from "../support/agents/hosts.ts";
import { claimLine, joinClaimed, tokenOf } from "../support/agents/pastedLine.ts";
import { PeerAgent } from "../support/agents/peerAgent.ts";
import { type RunningBackend, startBackend } from "../support/backend/backend.ts";
import { paleTexts } from "../support/vscode/contrast.ts";
import { openRport, photographFailures, type RportEditor } from "../support/vscode/rport.ts";
import type { Theme } from "../support/vscode/settings.ts";

/** A credential whose hosts wait for somebody's approval. */
const CAREFUL = "careful";

const THEMES: readonly Theme[] = ["light", "highContrast", "dark"];

describe("the install sheet after the line was pasted", () => {
  const resources = new AsyncDisposableStack();
  let backend: RunningBackend;
  let rport: RportEditor;
  let sheet: Frame;

  beforeAll(async () => {
    backend = resources.use(await startBackend());
    await joinHosts(backend, resources);
    await backend.api("createCredential", { body: { id: CAREFUL } });
    const limits = { approval: true };
    await backend.api("updateCredential", { params: { authId: CAREFUL }, body: { limits } });
    const servers = [{ name: "Local Backend", url: "local" }];
    rport = resources.use(
      await openRport(backend.dataDir, { settings: { "rport.servers": servers } }),
    );
    await rport.clients.row("web-01").waitFor();
    await rport.workbench.setTheme("dark");
  });

  afterAll(() => resources.disposeAsync());
  photographFailures(() => rport.workbench);

  test("says that no other host reaches the address, and how to change that", async () => {
    const { access, workbench } = rport;
    await access.rowAction(FLEET, "Install Client");
    sheet = await rport.sheet("Waiting for the first connection");
    await sheet.getByText(`Only the server’s own machine can reach ${backend.url}.`).waitFor();
    await pictures("sheet-near");
    await sheet.getByRole("button", { name: "Set the Server’s Address…" }).click();
    await workbench.page.locator(".view-lines").getByText("Let other hosts reach").waitFor();
    await workbench.command("View: Close Editor");
    sheet = await rport.sheet("Waiting for the first connection");
  });

  test("says in red what cannot be, and copies nothing until it is right", async () => {
    await option("Install below this folder", "rport");
    await sheet.getByText("The whole path, from / or ~/ on, such as ~/rport.").waitFor();
    expect(await sheet.getByRole("button", { name: "Copy", exact: true }).isDisabled()).toBe(true);
    await pictures("sheet-problem");
    await option("Install below this folder", "");
    await option("Display name", "shop-01");
    await expect.poll(pairingStates).toContain("revoked");
    await sheet.getByText("Options", { exact: true }).click();
  });

  test("follows the host by the name that it was given, and selects it in the tree", async () => {
    const line = await snippet();
    const host = { url: backend.url, line, clientId: "machine-7", hostname: "vm" };
    const claimed = await claimLine(host);
    await sheet.getByText("shop-01 is installing…").first().waitFor();
    const agent = await joinClaimed({ ...host, hostname: "shop-01" }, claimed);
    await sheet.getByText("Connected: shop-01").first().waitFor();
    await expect.poll(() => selected("shop-01")).toBe(true);
    await pictures("sheet-connected");
    await agent[Symbol.asyncDispose]();
    await sheet.getByText("Offline: shop-01").first().waitFor();
    await backend.api("revokeClient", { params: { clientId: "machine-7" } });
    await sheet.getByText("Revoked: shop-01").first().waitFor();
    await backend.api("allowClient", { params: { clientId: "machine-7" } });
    await backend.api("deleteClient", { params: { clientId: "machine-7" } });
    await sheet.getByText("Deleted: shop-01").first().waitFor();
  });

  test("says why a host was refused, and makes the line that helps", async () => {
    await sheet.getByRole("button", { name: "Install Another" }).click();
    await sheet.getByText("Waiting for the first connection").first().waitFor();
    const line = await snippet();
    const host = { url: backend.url, line, clientId: "machine-1", hostname: "vm-copy" };
    await expect(joinClaimed(host, await claimLine(host))).rejects.toThrow("already connected");
    await sheet.getByText("Refused: vm-copy").first().waitFor();
    await sheet.getByText(/client is already connected/).waitFor();
    await pictures("sheet-refused");
    await sheet.getByRole("button", { name: "Register as a New Host" }).click();
    await expect.poll(snippet).toContain("--new-id");
  });

  test("counts the hosts of a roll-out, and turns away who is not meant", async () => {
    await sheet.getByText("Options", { exact: true }).click();
    await sheet.getByLabel("Register as a new host").uncheck();
    await option("For how many hosts", "3");
    await sheet.getByText("Paste this on each of 3 hosts").waitFor();
    const line = await snippet();
    for (const name of ["roll-01", "roll-02"]) {
      const host = { url: backend.url, line, clientId: name, hostname: name };
      const claimed = await claimLine(host);
      if (name === "roll-01") resources.use(await joinClaimed(host, claimed));
    }
    await sheet.getByText("1 of 3 connected").first().waitFor();
    await sheet.getByText("roll-02 is installing…").waitFor();
    await sheet.getByText("Options", { exact: true }).click();
    await pictures("sheet-rollout");
    await sheet.getByText("Options", { exact: true }).click();
    await option("For how many hosts", "1");
    await option("Only for the host named", "db-07");
    await sheet.getByText("Paste this on db-07").waitFor();
    const other = { url: backend.url, line: await snippet(), clientId: "db-8", hostname: "db-08" };
    await expect(claimLine(other)).rejects.toThrow("for the host db-07");
    await sheet.getByText(/db-08 .* was turned away: the line is for db-07 only/).waitFor();
    await pictures("sheet-host-only");
    await sheet.getByLabel("Register as a new host").scrollIntoViewIfNeeded();
    await pictures("sheet-options");
    await sheet.getByText("Options", { exact: true }).click();
  });

  test("makes a configuration file whose secret is masked, and revokes it", async () => {
    await sheet.getByText("Without an installer").click();
    await sheet.getByRole("button", { name: "Make a Configuration File" }).click();
    await sheet.getByText(/auth = "web-fleet:•+"/).waitFor();
    await pictures("sheet-manual");
    await sheet.getByRole("button", { name: "Copy File" }).click();
    await sheet.getByRole("button", { name: "Copied" }).waitFor();
    const file = await rport.workbench.clipboard();
    const secret = /auth = "web-fleet:(.{16,})"/.exec(file)?.[1] ?? "";
    expect(await sheet.locator("body").innerText()).not.toContain(secret);
    await sheet.getByRole("button", { name: "Show Secret" }).click();
    await sheet.getByText(secret).waitFor();
    await sheet.getByRole("button", { name: "Revoke Secret" }).click();
    await sheet.getByText("The secret was revoked.").waitFor();
    const url = backend.url.replace(/^http/, "ws");
    await expect(PeerAgent.join({ url, user: FLEET, password: secret })).rejects.toThrow();
  });

  test("lets in, there and then, who waits for approval", async () => {
    await rport.workbench.command("View: Close All Editors");
    await rport.workbench.command("RPort: Install Client...");
    await rport.workbench.quickInput.pick(CAREFUL);
    sheet = await rport.sheet("Waiting for the first connection");
    const line = await snippet();
    const host = { url: backend.url, line, clientId: "machine-8", hostname: "shop-08" };
    const joining = joinClaimed(host, await claimLine(host));
    await sheet.getByText("Waiting for your approval: shop-08").first().waitFor();
    await pictures("sheet-approval");
    await sheet.getByRole("button", { name: "Approve" }).click();
    resources.use(await joining);
    await sheet.getByText("Connected: shop-08").first().waitFor();
  });

  test("has no script error", () => {
    expect(rport.workbench.errors).toEqual([]);
  });

  /** The line that is shown, as soon as it is one that can be used. */
  async function snippet(): Promise<string> {
    let text = "";
    await expect
      .poll(async () => {
        text = await sheet.locator("#command .snippet:not(.stale)").innerText();
        const { id } = tokenParts(pairingTokenSchema.parse(tokenOf(text)));
        const pairings = await backend.api("listPairings");
        return pairings.find((pairing) => pairing.id === id)?.state;
      })
      .toBe("active");
    return text;
  }

  async function pairingStates(): Promise<string[]> {
    const pairings = await backend.api("listPairings");
    return pairings.map(({ state }) => state);
  }

  async function option(label: string, value: string): Promise<void> {
    const field = sheet.getByLabel(label);
    if (!(await field.isVisible())) await sheet.getByText("Options", { exact: true }).click();
    await field.fill(value);
    await field.blur();
  }

  async function selected(text: string): Promise<boolean> {
    const row = rport.clients.row(text);
    return (await row.getAttribute("aria-selected")) === "true";
  }

  /** Looks at the sheet in each theme: all of it can be read. */
  async function pictures(name: string): Promise<void> {
    for (const theme of THEMES) {
      await rport.workbench.setTheme(theme);
      await expect.poll(() => paleTexts(sheet)).toEqual([]);
      await rport.workbench.screenshot(`${name}-${theme}`);
    }
  }
});
