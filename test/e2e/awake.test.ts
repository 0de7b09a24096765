import { join } from "node:path";
import { ENDPOINT_FILE } from "@rport/protocol/endpointFile";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FLEET, joinHosts } from "../support/agents/hosts.ts";
import { PeerAgent } from "../support/agents/peerAgent.ts";
import { type RunningBackend, startBackend } from "../support/backend/backend.ts";
import { endOf } from "../support/backend/joins.ts";
import { bareActivation } from "../support/vscode/bareActivation.ts";
import { type Editor, openEditor } from "../support/vscode/editor.ts";
import { photographFailures } from "../support/vscode/rport.ts";
import { ensureVsix } from "../support/vscode/vsix.ts";
import type { Workbench } from "../support/vscode/workbench.ts";

/** A credential whose new clients wait for approval. */
const GATE = "gate";
/** What loading the code and activating it may cost; a busy machine makes even that three times as much. */
const PROCESSOR_MS = 300;

/** A window whose RPort view is never opened: it was closed yesterday, with a server configured. */
describe("a window that was opened for something else", () => {
  const resources = new AsyncDisposableStack();
  let backend: RunningBackend;
  let editor: Editor;
  let workbench: Workbench;

  beforeAll(async () => {
    backend = resources.use(await startBackend());
    await joinHosts(backend, resources);
    const options = {
      vsix: [await ensureVsix()],
      settings: { "rport.servers": [{ url: "local" }] },
      env: { RPORT_ENDPOINT_FILE: join(backend.dataDir, ENDPOINT_FILE) },
    };
    editor = resources.use(await openEditor(options));
    workbench = editor.workbench;
  });

  afterAll(() => resources.disposeAsync());
  photographFailures(() => workbench);

  const statusItem = () => workbench.statusItem("rport.rport", "rport.status");

  test("F-29: tells in the status bar how many clients are online, and has the commands", async () => {
    await statusItem().getByText("4/5").waitFor({ timeout: 60_000 });
    await workbench.command("RPort: Copy Authentication ID");
    await workbench.quickInput.pick(FLEET);
    await expect.poll(() => workbench.clipboard()).toBe(FLEET);
  });

  test("tells of a host that waits for approval, and lets it in", async () => {
    const body = { id: GATE, limits: { approval: true } };
    const { password } = await backend.api("createCredential", { body });
    const url = backend.url.replace(/^http/, "ws");
    const introduction = { ID: "machine-7", Name: "web-07" };
    const joining = PeerAgent.join({ url, user: GATE, password, introduction });
    joining.then((agent) => resources.use(agent)).catch(() => undefined);
    const toast = workbench.toast(`web-07 (127.0.0.1) waits to join with ${GATE}.`);
    await toast.waitFor();
    await workbench.activity("RPort").locator("..").getByText("1", { exact: true }).waitFor();
    await workbench.screenshot("awake-approval");
    await toast.getByRole("button", { name: "Approve" }).click();
    expect(await endOf(joining)).toBe("in");
    await statusItem().getByText("5/6").waitFor();
  });

  test("F-29: asks nothing of the system while it is activated, and little of the processor", async () => {
    const { calls, processorMs } = await bareActivation();
    expect(calls).toEqual([]);
    expect(processorMs).toBeLessThanOrEqual(PROCESSOR_MS);
  });
});
