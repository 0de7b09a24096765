import { connect } from "node:net";
import { DIAL_PATH, EVENTS_PATH } from "@rport/protocol/http";
import { describe, expect, it } from "vitest";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";
import { rawHttp } from "../../support/faults/rawHttp.ts";
import { within } from "../../support/within.ts";

/** What somebody asks for who hopes that the socket is still believed after a failed upgrade. */
const INTRUDER = "intruder";

interface Attempt {
  readonly path: string;
  readonly headers?: readonly string[];
  readonly status: number;
}

const AGENT = "Sec-WebSocket-Protocol: rport-v1";
const UPGRADE = ["Connection: Upgrade", "Upgrade: websocket"];
const VERSION = "Sec-WebSocket-Version: 13";
const KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";

/** The head of an upgrade, with exactly these headers. */
function upgradeOf({ port }: RunningBackend, path: string, headers: readonly string[]): string {
  const lines = [`GET ${path} HTTP/1.1`, `Host: 127.0.0.1:${port}`, ...UPGRADE, ...headers];
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** A whole request that makes a credential, as an administrator's. */
function creation({ port, token }: RunningBackend): string {
  const body = JSON.stringify({ id: INTRUDER });
  const lines = [
    "POST /api/v1/clients-auth HTTP/1.1",
    `Host: 127.0.0.1:${port}`,
    `Authorization: Bearer ${token}`,
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  return `${lines.join("\r\n")}\r\n\r\n${body}`;
}

/**
 * Sends the upgrade with a second request behind it, and that again after the answer, and keeps its
 * own side open; answers with all that came back until the server closed the socket.
 */
function smuggle(port: number, upgrade: string, second: string): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  let text = "";
  socket.on("error", () => {});
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
    if (!socket.destroyed) socket.write(second);
  });
  const closed = new Promise<string>((resolve) => socket.once("close", () => resolve(text)));
  // Whoever keeps its side open must not keep the server's: writing on shows that it is closed.
  const poke = setInterval(() => socket.write(second), 20);
  void closed.then(() => clearInterval(poke));
  socket.write(upgrade + second);
  return closed;
}

const BAD_HANDSHAKE = [
  ["without a key", [VERSION]],
  ["with a key that is none", [VERSION, "Sec-WebSocket-Key: short"]],
  ["of another version", ["Sec-WebSocket-Version: 12", KEY]],
] as const;

describe("C-20: nothing more is acted upon that comes on the socket of an upgrade that failed", () => {
  const cases: [string, Attempt][] = [
    [
      "of an agent with an origin",
      { path: "/", headers: [AGENT, "Origin: http://x.example", VERSION, KEY], status: 403 },
    ],
    ["of a path that is none", { path: "/nowhere", headers: [VERSION, KEY], status: 404 }],
    ["of a user without a token", { path: EVENTS_PATH, headers: [VERSION, KEY], status: 401 }],
    [
      "of a web page",
      { path: DIAL_PATH, headers: ["Origin: http://x.example", VERSION, KEY], status: 403 },
    ],
    ...BAD_HANDSHAKE.flatMap(([what, headers]): [string, Attempt][] => [
      [`of an agent, ${what}`, { path: "/", headers: [AGENT, ...headers], status: 400 }],
      [`of a user, ${what}`, { path: EVENTS_PATH, headers: ["<token>", ...headers], status: 400 }],
    ]),
  ];

  it.each(cases)("%s", async (_what, { path, headers = [], status }) => {
    await using backend = await startBackend();
    const bearer = `Authorization: Bearer ${backend.token}`;
    const own = headers.map((header) => (header === "<token>" ? bearer : header));
    const talk = smuggle(backend.port, upgradeOf(backend, path, own), creation(backend));
    const text = await within("the server to close the socket", talk, 10_000);
    expect(text.match(/HTTP\/1\.1 \d{3}/g)).toEqual([`HTTP/1.1 ${status}`]);
    const ids = (await backend.api("listCredentials")).map(({ id }) => id);
    expect(ids).not.toContain(INTRUDER);
  });

  it("while the same request on a socket of its own is one", async () => {
    await using backend = await startBackend();
    const alone = creation(backend).replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    expect((await rawHttp(backend.port, alone)).status).toBe(201);
    expect((await backend.api("listCredentials")).map(({ id }) => id)).toContain(INTRUDER);
  });
});
