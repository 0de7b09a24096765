import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { joinHosts } from "../support/agents/hosts.ts";
import { startBackend } from "../support/backend/backend.ts";
import { openFleet } from "../support/vscode/fleet.ts";
import { photographFailures, type RportEditor } from "../support/vscode/rport.ts";
import { setSetting } from "../support/vscode/setUp.ts";
import type { Workbench } from "../support/vscode/workbench.ts";

/** What a person and a workspace set about what is shown of clients, while the editor runs. */
describe("an editor whose views are set up", () => {
  const resources = new AsyncDisposableStack();
  let rport: RportEditor;
  let workbench: Workbench;

  beforeAll(async () => {
    const backend = resources.use(await startBackend());
    await joinHosts(backend, resources);
    rport = await openFleet(resources, backend);
    workbench = rport.workbench;
  });

  afterAll(() => resources.disposeAsync());
  photographFailures(() => workbench);

  test("says behind a client's name what somebody chose, as soon as that is chosen", async () => {
    const name = "rport.clients.description";
    const usual = rport.clients.row(/web-01.*10\.0\.8\.11.*Debian 12\.5/);
    await usual.waitFor();
    await setSetting(workbench, { name, value: ["os", "credential", "nonsense"] });
    await rport.clients.row(/web-01.*Debian 12\.5.*web-fleet/).waitFor();
    expect(await rport.clients.row("10.0.8.11").count()).toBe(0);
    await workbench.screenshot("description-chosen");
    await setSetting(workbench, { name, value: ["id"], place: "workspace" });
    await rport.clients.row(/web-01.*machine-1/).waitFor();
    await setSetting(workbench, { name, place: "workspace" });
    await rport.clients.row(/web-01.*Debian 12\.5.*web-fleet/).waitFor();
    await setSetting(workbench, { name });
    await usual.waitFor();
  });
  test("hides offline clients, says how many, and shows them where they are meant", async () => {
    const { quickInput } = workbench;
    const { clients } = rport;
    await clients.row("Offline").waitFor();
    await workbench.command("RPort: Hide Offline Clients");
    await clients.row("build-arm").waitFor({ state: "detached" });
    await clients.row("Offline").waitFor({ state: "detached" });
    await clients.message.getByText("1 offline client is hidden").waitFor();
    await workbench.screenshot("offline-hidden");

    await workbench.command("RPort: Filter Clients...");
    await quickInput.title("Filter Clients").waitFor();
    await quickInput.input.fill("status:offline");
    await clients.row("build-arm").waitFor();
    await quickInput.cancel();

    await workbench.command("RPort: Go to Client...");
    await quickInput.pick("build-arm");
    await clients.row("build-arm").waitFor();

    await clients.headerAction("Show Offline Clients");
    await clients.message.waitFor({ state: "hidden" });
    await clients.row("Offline").waitFor();
    await setSetting(workbench, { name: "rport.clients.showOffline", value: false });
    await clients.row("Offline").waitFor({ state: "detached" });
    await setSetting(workbench, { name: "rport.clients.showOffline" });
    await clients.row("Offline").waitFor();
  });
});
