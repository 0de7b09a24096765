import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Frame } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseConfig } from "../../agent/src/config/config.ts";
import { startAgent } from "../support/agents/agent.ts";
import { builtAgent } from "../support/agents/builtAgent.ts";
import { installedAgent } from "../support/agents/installedAgent.ts";
import {
  type RunningBackend,
  type StartOptions,
  startBackend,
} from "../support/backend/backend.ts";
import { SERVICE_KEY, startPairingService } from "../support/pairing/pairingService.ts";
import { startRportPairing } from "../support/pairing/rportPairing.ts";
import { tempDirectory } from "../support/tempDirectory.ts";
import { openRport, photographFailures, type RportEditor } from "../support/vscode/rport.ts";
import { addByToken } from "../support/vscode/signIn.ts";

/** A line takes so long, from pasting to the sheet that says so, on a busy machine. */
const CONNECTED_MS = 40_000;

/** One window, and a server for each way in which hosts can be paired. */
describe("one host each, paired in the editor", () => {
  const resources = new AsyncDisposableStack();
  let embedded: RunningBackend;
  let sealed: RunningBackend;
  let forwarding: RunningBackend;
  let rport: RportEditor;

  beforeAll(async () => {
    const agentFiles = await builtAgent();
    const start = async (pairing: Partial<StartOptions["pairing"]> = {}) => {
      const options = { agentFiles, pairing: { ttlS: 600, ...pairing } };
      const backend = resources.use(await startBackend(options));
      await backend.api("createCredential", { body: { id: "fleet-of-hosts" } });
      return backend;
    };
    const service = resources.use(await startPairingService());
    const { path } = resources.use(await tempDirectory());
    const keyFile = join(path, "key");
    await writeFile(keyFile, SERVICE_KEY, { mode: 0o600 });
    const rportPairing = resources.use(await startRportPairing());
    embedded = await start();
    sealed = await start({ elsewhere: { url: service.url, service: "sealed", keyFile } });
    forwarding = await start({
      elsewhere: { url: rportPairing.url, service: "rport-pairing", keyFile: undefined },
    });
    const servers = [{ name: "Local Backend", url: "local" }];
    const settings = { "rport.servers": servers };
    rport = resources.use(await openRport(embedded.dataDir, { settings }));
    await rport.access.row("fleet-of-hosts").waitFor();
    for (const server of [sealed, forwarding]) {
      await rport.workbench.command("RPort: Add Server...");
      await addByToken(rport.workbench, server);
      await rport.clients.row(`:${server.port}`).waitFor();
    }
  });

  afterAll(() => resources.disposeAsync());
  photographFailures(() => rport.workbench);

  test("by the server itself", async () => {
    await using host = await installedAgent();
    const sheet = await openSheet("Local Backend");
    await pasteInto(host, sheet);
    await sheet.getByText(/is online/).waitFor({ timeout: CONNECTED_MS });
    await rport.workbench.screenshot("pairing-embedded");
  });

  test("by a service apart from the server, which cannot read it", async () => {
    await using host = await installedAgent();
    const sheet = await openSheet(`:${sealed.port}`);
    expect(await snippetOf(sheet)).toContain("--pairing ");
    await pasteInto(host, sheet);
    await sheet.getByText(/is online/).waitFor({ timeout: CONNECTED_MS });
    await rport.workbench.screenshot("pairing-sealed");
  });

  test("by RPort's own service, whose plain text the sheet does not hide", async () => {
    await using host = await installedAgent();
    const sheet = await openSheet(`:${forwarding.port}`);
    await sheet
      .getByText(/plain text/i)
      .first()
      .waitFor();
    await rport.workbench.screenshot("pairing-rport");
    const file = join(host.prefix, "rport.conf");
    const line = (await snippetOf(sheet)).replace("sudo sh", "sh");
    expect((await host.paste(`export RPORT_CONF='${file}'\n${line}`)).code).toBe(0);
    const { credential } = parseConfig(await readFile(file, "utf8"), file);
    const auth = `${credential.authId}:${credential.secret}`;
    const client = { auth, fingerprint: forwarding.md5Fingerprint, id: "host-of-rport" };
    await using agent = await startAgent({ server: forwarding.url, client });
    await agent.online();
    await sheet.getByText(/is online/).waitFor({ timeout: CONNECTED_MS });
    await rport.workbench.screenshot("pairing-rport-connected");
  });

  test("has no script error", () => {
    expect(rport.workbench.errors).toEqual([]);
  });

  async function openSheet(server: string): Promise<Frame> {
    const { workbench } = rport;
    await workbench.command("View: Close All Editors");
    await workbench.command("RPort: Install Client...");
    await workbench.quickInput.pick(server);
    await workbench.quickInput.pick("fleet-of-hosts");
    const sheet = await rport.sheet("fleet-of-hosts");
    await sheet.locator(".snippet").waitFor();
    return sheet;
  }

  function snippetOf(sheet: Frame): Promise<string> {
    return sheet.locator(".snippet").innerText();
  }

  /** As somebody without root pastes it: below a folder, and run by the Node that is there. */
  async function pasteInto(host: Awaited<ReturnType<typeof installedAgent>>, sheet: Frame) {
    await sheet.getByText("Options", { exact: true }).click();
    await sheet.getByLabel("Install below this folder").fill(host.prefix);
    await expect.poll(() => snippetOf(sheet)).toContain(`--prefix ${host.prefix}`);
    const line = (await snippetOf(sheet)).replace("--token-stdin", "--token-stdin --new-id");
    const { code, stderr } = await host.paste(line);
    expect({ code, stderr }).toMatchObject({ code: 0 });
  }
});
