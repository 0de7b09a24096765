import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { startAgent } from "../../support/agents/agent.ts";
import { tcpServer } from "../../support/wire/wireTunnel.ts";

/** What a WebSocket server adds to the key of a request before it hashes it (RFC 6455, 1.3). */
const WS_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/** A key and a certificate for localhost that only its maker signed; for tests alone. */
const SELF_SIGNED = new URL("../../fixtures/self-signed-localhost.pem", import.meta.url);

describe("F-07: the agent's way to its server", () => {
  it("asks for rport-v1 with its own headers, host name and no compression", async () => {
    const seen = Promise.withResolvers<IncomingMessage>();
    const server = createServer().listen(0, "127.0.0.1");
    server.on("upgrade", (request, socket) => {
      seen.resolve(request);
      socket.destroy();
    });
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    {
      await using _agent = await startAgent({
        server: `ws://127.0.0.1:${port}/agents`,
        connection: { headers: ["X-Site: lab"], hostname: "front.example.org" },
      });
      const { headers, url } = await seen.promise;
      expect(url).toBe("/agents/");
      expect(headers).toMatchObject({
        host: "front.example.org",
        "sec-websocket-protocol": "rport-v1",
        "user-agent": expect.stringMatching(/^rport \d+\.\d+\.\d+/),
        "x-site": "lab",
      });
      expect(headers).not.toHaveProperty("sec-websocket-extensions");
      expect(headers).not.toHaveProperty("origin");
    }
    server.close();
  });

  it("marks its frames as masked, with a mask that changes nothing", async () => {
    const frames = Promise.withResolvers<Buffer>();
    const server = createServer().listen(0, "127.0.0.1");
    server.on("upgrade", (request, socket) => {
      const accept = createHash("sha1").update(request.headers["sec-websocket-key"] + WS_GUID);
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept.digest("base64")}\r\n\r\n`,
      );
      socket.once("data", (bytes: Buffer) => frames.resolve(bytes));
      socket.on("error", () => {});
    });
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    {
      await using _agent = await startAgent({ server: `ws://127.0.0.1:${port}` });
      const frame = await frames.promise;
      const ident = "SSH-rport-v1-client\r\n";
      expect([...frame.subarray(0, 6)]).toEqual([0x82, 0x80 | ident.length, 0, 0, 0, 0]);
      expect(frame.subarray(6, 6 + ident.length).toString()).toBe(ident);
    }
    server.close();
  });

  it("does not follow a redirect, and says what it got", async () => {
    const server = createServer((_request, response) => {
      response.writeHead(302, { Location: "http://127.0.0.1:1/" }).end();
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    {
      await using agent = await startAgent({ server: `ws://127.0.0.1:${port}` });
      const state = await agent.until(({ kind }) => kind === "waiting");
      expect(state).toMatchObject({ reason: { text: expect.stringContaining("302") } });
    }
    server.close();
  });

  it("can be stopped at once while a server or a proxy is silent", async () => {
    await using silent = await tcpServer(() => {});
    const here = `http://127.0.0.1:${silent.port}`;
    for (const client of [{}, { proxy: here }]) {
      const agent = await startAgent({ server: here, client });
      const started = performance.now();
      await agent[Symbol.asyncDispose]();
      expect(performance.now() - started).toBeLessThan(2_000);
      expect(agent.agent.state.kind).toBe("stopped");
    }
  });

  it("S-09: refuses a TLS server whose certificate nobody vouches for", async () => {
    const pem = await readFile(SELF_SIGNED);
    let requests = 0;
    const server = createTlsServer({ key: pem, cert: pem }).listen(0, "127.0.0.1");
    server.on("upgrade", () => {
      requests += 1;
    });
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    {
      await using agent = await startAgent({ server: `wss://127.0.0.1:${port}` });
      const state = await agent.until(({ kind }) => kind === "waiting");
      expect(state).toMatchObject({ reason: { text: expect.stringContaining("self-signed") } });
      expect(requests).toBe(0);
    }
    server.close();
  });
});
