/**
 * Peers made of ssh2's own `Client` and `Server`, to be run in a worker thread: there the library
 * is loaded afresh, with its own AES-GCM, and knows nothing of ours.
 *
 * Both insist on an `SSH-2.0-` line from the other side. A shim gives them one, and the line that
 * was really sent is put where their exchange hash reads it.
 */
import { createHash, generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { Duplex } from "node:stream";
import { buffer } from "node:stream/consumers";
import { parentPort, workerData } from "node:worker_threads";
import ssh2, { type Client, type ClientChannel, type Connection } from "ssh2";
import { WebSocket, WebSocketServer } from "ws";

/** What a test tells a peer. */
export type PeerTask =
  | {
      readonly role: "client";
      readonly url: string;
      readonly user: string;
      readonly password: string;
    }
  | { readonly role: "server"; readonly user: string; readonly password: string };

/** What a peer tells the test. */
export type PeerReport =
  | { readonly kind: "listening"; readonly url: string }
  | { readonly kind: "done"; readonly seen: Partial<Seen> }
  | { readonly kind: "failed"; readonly text: string };

/** What came of each thing a peer tried. */
export interface Seen {
  echo: string;
  refused: string;
  request: string;
}

/** Where ssh2 keeps what it thinks the other side's line is. */
interface WithProtocol {
  readonly _protocol: { _remoteIdentRaw: Buffer; rekey(): void };
}

const TRANSFER_BYTES = 3_000_000;

function report(message: PeerReport): void {
  parentPort?.postMessage(message);
}

/** The WebSocket as a byte stream whose first line is replaced by one that ssh2 takes. */
function withStandInLine(ws: WebSocket): Duplex {
  let line: string | undefined = "";
  const stream = new Duplex({
    read() {},
    write: (chunk: Buffer, _encoding, done) => ws.send(chunk, done),
    final: (done) => {
      ws.close();
      done();
    },
  });
  ws.on("message", (data: Buffer) => {
    if (line === undefined) return void stream.push(data);
    line += data.toString("latin1");
    const end = line.indexOf("\n");
    if (end < 0) return;
    const rest = Buffer.from(line.slice(end + 1), "latin1");
    line = undefined;
    stream.push("SSH-2.0-standin\r\n");
    if (rest.length > 0) stream.push(rest);
  });
  ws.on("close", () => stream.push(null));
  ws.on("error", () => {});
  return stream;
}

function hash(data: Buffer): string {
  return createHash("sha256").update(data).digest("hex");
}

function runClient(task: Extract<PeerTask, { role: "client" }>): void {
  const ws = new WebSocket(task.url, { perMessageDeflate: false });
  const client = new ssh2.Client();
  const seen: Seen = { echo: "", refused: "", request: "" };
  client.on("tcp connection", (_details, accept) => {
    const channel = accept();
    channel.pipe(channel);
  });
  client.on("error", (error) => report({ kind: "failed", text: error.message }));
  client.on("ready", () => {
    void clientScript(client, seen).then(
      () => report({ kind: "done", seen }),
      (error: unknown) => report({ kind: "failed", text: String(error) }),
    );
  });
  ws.once("open", () => {
    client.connect({ sock: withStandInLine(ws), username: task.user, password: task.password });
    const { _protocol: protocol } = client as unknown as WithProtocol;
    const ident = Buffer.from("SSH-rport-v1-server");
    Object.defineProperty(protocol, "_remoteIdentRaw", { get: () => ident, set() {} });
  });
}

async function clientScript(client: Client, seen: Seen): Promise<void> {
  const data = Buffer.alloc(TRANSFER_BYTES, "client to server");
  const channel = await openForward(client, 80);
  const echoed = buffer(channel);
  channel.write(data.subarray(0, 1_000_000));
  (client as unknown as WithProtocol)._protocol.rekey();
  channel.end(data.subarray(1_000_000));
  seen.echo = hash(await echoed) === hash(data) ? "intact" : "damaged";
  seen.refused = await openForward(client, 1).then(
    () => "opened",
    (error: Error) => error.message,
  );
  seen.request = await new Promise((resolve) => {
    client.forwardIn("127.0.0.1", 8022, (error, port) => resolve(error?.message ?? `port ${port}`));
  });
}

function openForward(client: Client, port: number): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    client.forwardOut("127.0.0.1", 1, "127.0.0.1", port, (error, channel) => {
      if (error === undefined) resolve(channel);
      else reject(error);
    });
  });
}

function runServer(task: Extract<PeerTask, { role: "server" }>): void {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const pem = privateKey.export({ format: "pem", type: "sec1" }).toString();
  const server = new ssh2.Server({ hostKeys: [pem] }, (client) => serve(client, task));
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  const http = createServer();
  http.on("upgrade", (request, socket, head) =>
    sockets.handleUpgrade(request, socket, head, (ws) =>
      server.injectSocket(withStandInLine(ws) as Socket),
    ),
  );
  http.listen(0, "127.0.0.1", () => {
    const { port } = http.address() as AddressInfo;
    report({ kind: "listening", url: `ws://127.0.0.1:${port}/` });
  });
}

function serve(client: Connection, task: PeerTask): void {
  const { _protocol: protocol } = client as unknown as WithProtocol;
  protocol._remoteIdentRaw = Buffer.from("SSH-rport-v1-client");
  client.on("error", (error) => report({ kind: "failed", text: error.message }));
  client.on("authentication", (context) => {
    const isRight =
      context.method === "password" &&
      context.username === task.user &&
      context.password === task.password;
    if (isRight) context.accept();
    else context.reject(["password"]);
  });
  client.on("ready", () => serveReady(client));
}

function serveReady(client: Connection): void {
  client.on("tcpip", (accept, refuse, details) => {
    if (details.destPort === 1) return refuse();
    const channel = accept();
    channel.pipe(channel);
    channel.once("data", () => client.rekey());
  });
  client.on("session", (accept) => {
    const session = accept();
    session.on("subsystem", (agree, refuse, details) => {
      if (details.name === "echo") {
        const channel = agree();
        channel.pipe(channel);
      } else refuse();
    });
  });
  client.on("request", (accept, refuse, name) => {
    if (name === "tcpip-forward") accept?.(8022);
    else refuse?.();
  });
  client.forwardOut("127.0.0.1", 80, "127.0.0.1", 1, (error, channel) => {
    if (error !== undefined) return report({ kind: "failed", text: error.message });
    const data = Buffer.alloc(TRANSFER_BYTES, "server to client");
    void buffer(channel).then((echoed) => {
      const echo = hash(echoed) === hash(data) ? "intact" : "damaged";
      report({ kind: "done", seen: { echo } });
    });
    channel.end(data);
  });
}

const task = workerData as PeerTask;
if (task.role === "client") runClient(task);
else runServer(task);
