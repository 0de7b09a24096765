import { connect, type Socket } from "node:net";
import { connect as connectSecure } from "node:tls";
import { describe, expect, it } from "vitest";
import type { SetLimits } from "../../../backend/src/limits/limitTable.ts";
import { startBackend } from "../../support/backend/backend.ts";
import { eventually } from "../../support/eventually.ts";
import { freePort } from "../../support/freePort.ts";
import { startPairingService } from "../../support/pairing/pairingService.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";
import { testCertificate, writeCertificate } from "../../support/tls/testCertificate.ts";

/** The limits of requests are seconds, and are looked at once in one. */
const PATIENT = { timeout: 60_000 };

/** Somewhere that is listened on, and what is known of it from within. */
interface Scene extends AsyncDisposable {
  readonly port: number;
  readonly isSecure?: boolean;
  readonly logLines: readonly string[];
  readonly bites: (limit: string) => number | undefined;
}

interface Limited {
  readonly limits: { states(): readonly { readonly name: string; readonly bites: number }[] };
}

const bitesOf =
  ({ limits }: Limited) =>
  (limit: string) =>
    limits.states().find(({ name }) => name === limit)?.bites;

const LISTENERS: [string, (limits: SetLimits) => Promise<Scene>][] = [
  [
    "plain",
    async (limits) => {
      const backend = await startBackend({ limits });
      return { ...backend, bites: bitesOf(backend.backend) };
    },
  ],
  ["TLS", (limits) => startApart(limits, "users")],
  ["[metrics] address", (limits) => startApart(limits, "metrics")],
  [
    "the pairing service",
    async (limits) => {
      const service = await startPairingService({ limits });
      return { ...service, port: Number(new URL(service.url).port), bites: bitesOf(service) };
    },
  ],
];

/** A backend that speaks TLS to people, and has a plain address for its figures. */
async function startApart(limits: SetLimits, asked: "users" | "metrics"): Promise<Scene> {
  await using opened = new AsyncDisposableStack();
  const { path } = opened.use(await tempDirectory());
  const files = await writeCertificate(path, testCertificate());
  const tls = { kind: "files", ...files, section: "server", oldest: "TLSv1.2" } as const;
  const host = "127.0.0.1";
  const port = await freePort();
  const places = [
    { host, port: 0, faces: new Set(["agents", "users", "pairing"] as const), tls },
    { host, port, faces: new Set(["metrics"] as const) },
  ];
  const backend = opened.use(await startBackend({ places, limits }));
  const closing = opened.move();
  return {
    port: asked === "users" ? backend.port : port,
    isSecure: asked === "users",
    logLines: backend.logLines,
    bites: bitesOf(backend.backend),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

function dial({ port, isSecure = false }: Scene): Socket {
  const to = { port, host: "127.0.0.1" };
  const socket = isSecure ? connectSecure({ ...to, rejectUnauthorized: false }) : connect(to);
  socket.on("error", () => {});
  return socket;
}

/** Sends this, and gives all that came until the server ended the connection. */
function say(scene: Scene, text: string): Promise<string> {
  const socket = dial(scene);
  let received = "";
  socket.setEncoding("latin1").on("data", (chunk) => {
    received += chunk;
  });
  socket.write(text);
  return new Promise((resolve) => socket.once("close", () => resolve(received)));
}

/** Sends this again and again, without reading, until the server ends the connection. */
function flood(scene: Scene, text: string): Promise<void> {
  const socket = dial(scene);
  socket.pause();
  const piece = Buffer.from(text.repeat(Math.ceil(65_536 / text.length)));
  const pump = (): void => {
    while (!socket.destroyed && socket.write(piece));
  };
  socket.on("drain", pump);
  pump();
  return new Promise((resolve) => socket.once("close", () => resolve()));
}

const statusesIn = (text: string) =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status));

const requestOf = (scene: Scene, ...headers: readonly string[]): string =>
  `${["GET /healthz HTTP/1.1", `Host: 127.0.0.1:${scene.port}`, ...headers].join("\r\n")}\r\n\r\n`;

const EXPECTS = (scene: Scene, ...more: readonly string[]) =>
  requestOf(scene, "Expect: x", ...more);
const NO_HOST = (_scene: Scene, ...more: readonly string[]) =>
  `${["GET /healthz HTTP/1.1", ...more].join("\r\n")}\r\n\r\n`;
const CONTINUES = (scene: Scene, ...more: readonly string[]) =>
  requestOf(scene, "Expect: 100-continue", "Content-Length: 0", ...more);
const ORDINARY = requestOf;

describe.each(LISTENERS)("F-14: what Node answers by itself, %s", PATIENT, (_where, start) => {
  it.each([
    ["an expectation", EXPECTS],
    ["no Host", NO_HOST],
    ["100-continue", CONTINUES],
    ["nothing of the kind", ORDINARY],
  ])("requests with %s that wait for no answer end their connection", async (_what, text) => {
    await using scene = await start({});
    const answers = statusesIn(await say(scene, text(scene).repeat(500)));
    expect(answers.filter((status) => status !== 100).length).toBeLessThanOrEqual(8);
    expect(scene.bites("pipelined_requests")).toBe(1);
  });

  it.each([
    ["an expectation", EXPECTS],
    ["no Host", NO_HOST],
    ["100-continue", CONTINUES],
  ])("answers to requests with %s that nobody takes end their connection", async (_what, text) => {
    await using scene = await start({ response_stall_ms: 300, pipelined_requests: 10_000_000 });
    await flood(scene, text(scene));
    const ends = ["response_stall_ms", "answer_bytes"].map((name) => scene.bites(name) ?? 0);
    expect(Math.max(...ends)).toBeGreaterThan(0);
  });

  it("is in the log, with the status that Node would give", async () => {
    await using scene = await start({});
    const answer = async (text: string) => statusesIn(await say(scene, text));
    const close = "Connection: close";
    expect(await answer(EXPECTS(scene, close))).toEqual([417]);
    expect(await answer(NO_HOST(scene, close))).toEqual([400]);
    expect(await answer(CONTINUES(scene, close))).toEqual([100, 200]);
    for (const status of [417, 400]) {
      expect(scene.logLines.join("\n")).toContain(`"path":"/healthz","status":${status}`);
    }
  });

  it("also where no request came of it", async () => {
    await using scene = await start({});
    const chunked = requestOf(scene, "Transfer-Encoding: chunked");
    const cases: [string, number[], string][] = [
      ["this is no HTTP\r\n\r\n", [400], '"status":400'],
      [requestOf(scene, `X: ${"x".repeat(20_000)}`), [431], '"status":431'],
      [`${chunked}1;${"x".repeat(20_000)}\r\n`, [], ""],
      ["CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", [400], '"method":"CONNECT"'],
      ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [400], ""],
      ["GET /healthz HTTP/1.1\r\nHost: ", [408], '"status":408'],
    ];
    for (const [text, statuses, logged] of cases) {
      const got = statusesIn(await say(scene, text));
      if (logged !== "") expect(got, text.slice(0, 40)).toEqual(statuses);
      await eventually(() => expect(scene.logLines.join("\n")).toContain(logged));
    }
  });
});
