import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { joinHosts } from "../support/agents/hosts.ts";
import { startBackend } from "../support/backend/backend.ts";
import { openRport, photographFailures, type RportEditor } from "../support/vscode/rport.ts";
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
    const settings = { "rport.servers": [{ name: "Local Backend", url: "local" }] };
    rport = resources.use(await openRport(backend.dataDir, { settings }));
    workbench = rport.workbench;
    await rport.clients.row("web-01").waitFor();
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
});
