import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FLEET } from "../support/agents/hosts.ts";
import { PeerAgent } from "../support/agents/peerAgent.ts";
import type { RunningBackend } from "../support/backend/backend.ts";
import { openFleet, startFleet } from "../support/vscode/fleet.ts";
import { photographFailures, type RportEditor } from "../support/vscode/rport.ts";
import { openTunnel } from "../support/vscode/tunnels.ts";
import type { Workbench } from "../support/vscode/workbench.ts";

const LAB = "lab-hosts";
/** A client that stays away is told of after ten seconds. */
const TOLD_MS = 30_000;

/** Settings of the person, and a workspace that has others. */
describe("an editor with settings of its own", () => {
  const resources = new AsyncDisposableStack();
  let backend: RunningBackend;
  let password: string;
  let rport: RportEditor;
  let workbench: Workbench;

  beforeAll(async () => {
    ({ backend, password } = await startFleet(resources, LAB));
    const settings = {
      "rport.credentials.graceHours": 48,
      "rport.confirm.closeTunnel": true,
    };
    const ofWorkspace = {
      "rport.servers": [{ name: "Evil", url: "https://evil.example.com" }],
      "rport.credentials.graceHours": 720,
      "rport.confirm.closeTunnel": false,
      "rport.notifications.clientStatus": "off",
    };
    const files = { ".vscode/settings.json": JSON.stringify(ofWorkspace) };
    rport = await openFleet(resources, backend, { settings, files });
    workbench = rport.workbench;
  });

  afterAll(() => resources.disposeAsync());
  photographFailures(() => workbench);

  const joinLab = () => {
    const url = backend.url.replace(/^http/, "ws");
    const introduction = { ID: "machine-9", Name: "lab-01" };
    return PeerAgent.join({ url, user: LAB, password, introduction });
  };

  test("offers one's own time first for the old secret of a rotation", async () => {
    const { quickInput } = workbench;
    await rport.access.contextMenu(FLEET, "Rotate Credential...");
    await quickInput.rows("2 days").waitFor();
    const labels = await quickInput.rows().allInnerTexts();
    expect(labels[0]).toContain("2 days");
    expect(labels[0]).toContain("default");
    expect(labels.filter((label) => label.includes("30 days"))).toHaveLength(1);
    expect((await rport.clients.labels()).join()).not.toContain("Evil");
    await quickInput.cancel();
  });

  test("asks before a tunnel of this computer is closed", async () => {
    const address = await openTunnel(rport, "web-01", 8080);
    await rport.tunnels.rowAction(address, "Close Tunnel");
    await workbench.answerDialog("Close 1 tunnel of this computer?", "Cancel");
    await rport.tunnels.row(address).waitFor();
    await rport.tunnels.rowAction(address, "Close Tunnel");
    await workbench.answerDialog("Close 1 tunnel of this computer?", "Close Tunnel");
    await rport.tunnels.row(address).waitFor({ state: "detached" });
  });

  test("tells that a pinned client went offline and came back, and of no other one", async () => {
    const lab = await joinLab();
    await rport.clients.row("lab-01").waitFor();
    await workbench.command("RPort: Pin");
    await workbench.quickInput.pick("lab-01");
    await rport.clients.row("Pinned").waitFor();
    await lab[Symbol.asyncDispose]();
    const gone = workbench.toast("lab-01 went offline.");
    await gone.waitFor({ timeout: TOLD_MS });
    await workbench.screenshot("went-offline");
    await gone.getByRole("button", { name: "Why?" }).click();
    await workbench.page.getByText("Why is lab-01 offline?").first().waitFor();
    resources.use(await joinLab());
    await workbench.toast("lab-01 is online again.").waitFor({ timeout: TOLD_MS });
  });
});
