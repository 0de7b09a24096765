import { networkInterfaces } from "node:os";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { joinHosts } from "../support/agents/hosts.ts";
import { startBackend } from "../support/backend/backend.ts";
import { openFleet } from "../support/vscode/fleet.ts";
import { photographFailures, type RportEditor } from "../support/vscode/rport.ts";
import { setSetting } from "../support/vscode/setUp.ts";
import { chooseTunnel, openTunnel } from "../support/vscode/tunnels.ts";
import type { Workbench } from "../support/vscode/workbench.ts";

const NAME = "rport.tunnels.bindAddress";
const card = Object.values(networkInterfaces())
  .flatMap((each) => each ?? [])
  .find(({ family, internal }) => family === "IPv4" && !internal)?.address;

/** Where tunnels of the editor listen. */
describe("an editor whose tunnels listen elsewhere", () => {
  const resources = new AsyncDisposableStack();
  let rport: RportEditor;
  let workbench: Workbench;

  beforeAll(async () => {
    const backend = resources.use(await startBackend());
    await joinHosts(backend, resources);
    const files = { ".vscode/settings.json": JSON.stringify({ [NAME]: "127.0.0.9" }) };
    rport = await openFleet(resources, backend, { files });
    workbench = rport.workbench;
  });

  afterAll(() => resources.disposeAsync());
  photographFailures(() => workbench);

  test("opens them where the person's setting says, not the workspace's, and leaves open ones", async () => {
    const usual = await openTunnel(rport, "web-01", 8080);
    expect(usual).toMatch(/^127\.0\.0\.1:/);
    await setSetting(workbench, { name: NAME, value: "127.0.0.2" });
    const other = await openTunnel(rport, "web-02", 8080);
    expect(other).toMatch(/^127\.0\.0\.2:/);
    await rport.tunnels.row(usual).waitFor();
    expect(await rport.tunnels.row("open to other computers").count()).toBe(0);
  });

  test("says what is wrong with an address that this computer has not", async () => {
    await setSetting(workbench, { name: NAME, value: "8.8.8.8" });
    await chooseTunnel(rport, "db-01", 8080);
    await workbench.toast("Tunnels cannot listen on 8.8.8.8").waitFor();
    await workbench.clearToasts();
  });

  test.skipIf(card === undefined)(
    "asks once before others can reach them, and says so in their rows",
    async () => {
      await setSetting(workbench, { name: NAME, value: card });
      await chooseTunnel(rport, "cache-01", 8080);
      await workbench.answerDialog("Other computers will reach this tunnel", "Open Tunnel");
      await rport.tunnels.row("open to other computers").waitFor();
      await rport.tunnels.row(`${card}:`).waitFor();
      await workbench.screenshot("tunnel-open-to-others");
    },
  );
});
