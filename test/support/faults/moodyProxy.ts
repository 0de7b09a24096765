import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** How what stands in front of a server behaves; `fair` lets everything through. */
export type Mood = "fair" | "failing" | "html" | "silent";

const page = "<!doctype html><script>alert(1)</script><a href='command:x'>Sign in to the Wi-Fi</a>";
const failure = '{"errors":[{"code":"INTERNAL","title":"[Help](command:x) $(flame)","detail":""}]}';

function reply(status: string, type: string, body: string): string {
  const head = [`HTTP/1.1 ${status}`, `Content-Type: ${type}`, `Content-Length: ${body.length}`];
  return [...head, "Connection: close", "", body].join("\r\n");
}

/** What each mood answers to whatever is asked, if anything. */
const REPLIES: Readonly<Record<Exclude<Mood, "fair" | "silent">, string>> = {
  failing: reply("500 Internal Server Error", "application/json", failure),
  html: reply("200 OK", "text/html", page),
};

/**
 * A server's address of which the answers depend on its mood: as of the server behind it, 500 each time, a page as
 * networks show it that want a sign-in, or none.
 */
export class MoodyProxy implements AsyncDisposable {
  /** The port of this computer on which the server is; 0: there is none yet. */
  target = 0;
  readonly #server = createServer((socket) => this.#serve(socket));
  readonly #sockets = new Set<Socket>();
  #mood: Mood = "fair";

  /** One on a free port. */
  static async start(): Promise<MoodyProxy> {
    const proxy = new MoodyProxy();
    await once(proxy.#server.listen(0, "127.0.0.1"), "listening");
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Changes the mood; whatever was open ends. */
  turn(mood: Mood): void {
    this.#mood = mood;
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.turn("silent");
    this.#server.close();
    await once(this.#server, "close");
  }

  #serve(socket: Socket): void {
    this.#keep(socket);
    const mood = this.#mood;
    if (mood === "silent") return;
    if (mood !== "fair") {
      socket.once("data", () => socket.end(REPLIES[mood]));
      return;
    }
    const behind = connect(this.target, "127.0.0.1");
    this.#keep(behind);
    socket.pipe(behind).pipe(socket);
    socket.once("close", () => behind.destroy());
    behind.once("close", () => socket.destroy());
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => this.#sockets.delete(socket));
  }
}
