import { connect, type Socket } from "node:net";
import type { Locator } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { startAgent, type TestAgent } from "../support/agents/agent.ts";
import { type SpawnedBackend, spawnBackend } from "../support/backend/spawnBackend.ts";
import { HOSTILE_TEXTS } from "../support/hostileTexts.ts";
import { tempDirectory } from "../support/tempDirectory.ts";
import { openRport, photographFailures, type RportEditor } from "../support/vscode/rport.ts";
import { openTunnel } from "../support/vscode/tunnels.ts";
import { pattern, tcpServer } from "../support/wire/wireTunnel.ts";

/** How long one attempt to see a tooltip takes at most. */
const ATTEMPT_MS = 4_000;

describe("a tooltip", () => {
  const stack = new AsyncDisposableStack();
  let backend: SpawnedBackend;
  let rport: RportEditor;
  let agent: TestAgent;

  beforeAll(async () => {
    const { path } = stack.use(await tempDirectory());
    backend = stack.use(await spawnBackend(path));
    const { url: server, fingerprint } = backend.endpoint;
    const { password } = await backend.api.call("createCredential", { body: { id: "fleet" } });
    const auth = `fleet:${password}`;
    const tags = HOSTILE_TEXTS.map((text) => text.slice(0, 60));
    const client = { fingerprint, auth, id: "host-1", name: "web-01", tags };
    agent = stack.use(await startAgent({ server, client }));
    await agent.online();
    const servers = [{ name: "Local Backend", url: "local" }];
    rport = stack.use(await openRport(path, { settings: { "rport.servers": servers } }));
  });

  afterAll(() => stack.disposeAsync());
  photographFailures(() => rport.workbench);

  /** Rests the mouse on a row until its tooltip has this text; answers the tooltip. */
  async function hover(row: Locator, text: string | RegExp): Promise<Locator> {
    const { page } = rport.editor.workbench;
    const shown = page.locator(".workbench-hover-container .hover-contents", { hasText: text });
    // a row that is drawn anew below a mouse that rests has no tooltip until the mouse moves
    await vi.waitFor(
      async () => {
        await page.mouse.move(0, 0);
        await row.hover();
        await shown.waitFor({ timeout: ATTEMPT_MS });
      },
      { timeout: 10 * ATTEMPT_MS },
    );
    return shown;
  }

  test("C-07: of a host shows what the host says, without a link, picture, icon or markup of it", async () => {
    const tooltip = await hover(rport.clients.row("web-01"), "Tags");
    const text = (await tooltip.textContent()) ?? "";
    expect(text).toContain("https://2130706433/NAME");
    expect(text).toContain("$(verified) NAME");
    expect(text).toContain("[NAME](command:workbench.action.quit)");
    expect(text).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
    const alive = tooltip.locator("a, img, table, h1, h2, li, code, del, .codicon-verified");
    expect(await alive.evaluateAll((found) => found.map((one) => one.outerHTML))).toEqual([]);
  });

  test("of a tunnel to this computer or on the server tells what goes through it", async () => {
    await using service = await tcpServer((socket) => {
      socket.on("data", (chunk) => socket.write(chunk));
      socket.on("end", () => socket.end());
    });
    const address = await openTunnel(rport, "web-01", service.port);
    const params = { clientId: "host-1" };
    const query = { remote: String(service.port) };
    const { lport } = await backend.api.call("createTunnel", { params, query });
    const ways = [
      { row: rport.tunnels.row(address), port: Number(address.split(":")[1]) },
      { row: rport.tunnels.row("on the server"), port: Number(lport) },
    ];
    for (const { row, port } of ways) {
      // the editor looks at the first bytes of its own tunnels by a connection of its own
      await hover(row, "Nobody has used it yet.");
      const socket = connect({ host: "127.0.0.1", port });
      await echoed(socket, 2_500_000);
      const quiet = await hover(row, "2.5 MB received, 2.5 MB sent");
      expect(await quiet.textContent()).toContain("1 connection since then, 1 of them open.");
      const sending = setInterval(() => socket.write(pattern(1_000)), 20);
      await hover(row, /Now: [\d.]+ (bytes|KB|MB)\/s received, [\d.]+ (bytes|KB|MB)\/s sent/);
      clearInterval(sending);
      await rport.workbench.screenshot(
        `tunnel-tooltip-${port === Number(lport) ? "server" : "local"}`,
      );
      socket.end();
      await hover(row, "Last used: just now.");
    }
  });
});

/** Sends so many bytes, and waits until as many have come back. */
async function echoed(socket: Socket, bytes: number): Promise<void> {
  const all = new Promise<void>((resolve) => {
    let received = 0;
    const count = (chunk: Buffer) => {
      received += chunk.length;
      if (received < bytes) return;
      socket.off("data", count);
      socket.resume();
      resolve();
    };
    socket.on("data", count);
  });
  socket.write(pattern(bytes));
  await all;
}
