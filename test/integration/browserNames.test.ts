import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import { expect, test } from "vitest";
import { answersOnIpv6, findsNames, pageUrl } from "../../extension/src/tunnels/browserPage.ts";
import type { LocalTunnel } from "../../extension/src/tunnels/localTunnel.ts";
import { startAgent } from "../support/agents/agent.ts";
import { startBackend } from "../support/backend/backend.ts";
import { eventually } from "../support/eventually.ts";
import { editorWindow } from "../support/extensionServer.ts";
import { findChromium, openBrowser } from "../support/vscode/browser.ts";

const COOKIE = "session=secret-of-db-01";

/** A host with an agent, and a web service at an address of its own. */
async function host(
  stack: AsyncDisposableStack,
  backend: Awaited<ReturnType<typeof startBackend>>,
  { id, listener }: { readonly id: string; readonly listener: RequestListener },
) {
  const service = stack.use(createServer(listener).listen(0, "127.0.0.2"));
  await once(service, "listening");
  const { password } = await backend.api("createCredential", { body: { id } });
  const { fingerprint } = backend;
  const client = { fingerprint, auth: `${id}:${password}`, id, name: id };
  const agent = stack.use(await startAgent({ server: backend.url, client }));
  await agent.online();
  return { clientId: id, remote: { host: "127.0.0.2", port: portOf(service) } };
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" ? (address?.port ?? 0) : 0;
}

/** The address that *Open Tunnel in Browser* opens in an editor on this computer. */
function pageOf(tunnel: LocalTunnel, wantsNames: boolean): Promise<string> {
  return pageUrl(`http://127.0.0.1:${tunnel.localPort}/`, tunnel, {
    wantsNames: () => wantsNames,
    forwarded: async (url) => url,
    finds: (name) => findsNames("linux", name),
    isTaken: answersOnIpv6,
  });
}

test("a browser gives no host the cookies of another one, and each its own again", async (ctx) => {
  ctx.skip(findChromium() === undefined, "no Chromium on this machine");
  await using stack = new AsyncDisposableStack();
  const backend = stack.use(await startBackend());
  const told: Record<string, (string | undefined)[]> = { honest: [], hostile: [] };
  const honest = await host(stack, backend, {
    id: "db-01",
    listener({ headers }, response) {
      told.honest?.push(headers.cookie);
      response.setHeader("Set-Cookie", `${COOKIE}; Path=/; HttpOnly; Max-Age=3600`);
      response.end("the page of db-01");
    },
  });
  const hostile = await host(stack, backend, {
    id: "web-13",
    listener({ headers }, response) {
      told.hostile?.push(headers.cookie);
      response.end("the page of web-13");
    },
  });
  const window = stack.use(editorWindow(backend.url, backend.token));
  window.server.connect();
  await eventually(() => expect(window.server.mirror.maps.clients.size).toBe(2));
  const open = ({ clientId, remote }: typeof honest) =>
    window.tunnels.open({
      serverKey: window.server.key,
      clientId,
      clientName: clientId,
      remote,
      localPort: undefined,
      isThisComputer: false,
    });
  const tunnels = [await open(honest), await open(hostile)];
  const { page } = stack.use(await openBrowser());
  const visit = async (wantsNames: boolean) => {
    for (const list of Object.values(told)) list.length = 0;
    for (const tunnel of [...tunnels, ...tunnels]) {
      await page.goto(await pageOf(tunnel, wantsNames));
      expect(await page.textContent("body")).toBe(`the page of ${tunnel.clientName}`);
    }
    // a browser asks for a picture, too, with the same cookies
    return Object.values(told).map((cookies) => new Set(cookies));
  };
  expect(await visit(true)).toEqual([new Set([undefined, COOKIE]), new Set([undefined])]);
  expect(await visit(false)).toEqual([new Set([undefined, COOKIE]), new Set([COOKIE])]);
}, 120_000);
