import { isIP, connect as openPlain, type Socket } from "node:net";
import { type ConnectionOptions, connect as openTls } from "node:tls";
import { peerText } from "@rport/protocol/wire/wireError";
import type { ProxyUrl } from "../config/proxyUrl.ts";

/** A proxy's answer to CONNECT has some hundred bytes; whoever sends more would fill the memory. */
const ANSWER_MAX_BYTES = 64 << 10;
const END_OF_ANSWER = "\r\n\r\n";
const CONNECTED = "200";

/** What a proxy is to connect us to; IPv6 without brackets. */
export interface TunnelTarget {
  readonly host: string;
  readonly port: number;
}

/** What is known about the way to the proxy. */
export interface TunnelDeps {
  /** Whom to trust for a proxy that speaks TLS; undefined: the runtime's own list. */
  readonly authorities: string[] | undefined;
  /** Fires when nobody wants the connection any more. */
  readonly signal: AbortSignal;
}

/**
 * A connection to a target through an http or https proxy (CONNECT, RFC 9110, 9.3.6); nothing of it was read,
 * and it is paused. Rejects, with a sentence that fits a log, when the proxy answers anything but 200, nothing,
 * or more than 64 KiB; what it says behind its answer is left out.
 */
export async function connectTunnel(
  proxy: ProxyUrl,
  target: TunnelTarget,
  deps: TunnelDeps,
): Promise<Socket> {
  const socket = openProxy(proxy, deps);
  try {
    socket.write(request(proxy, target));
    const [line = ""] = (await readAnswer(socket)).split("\r\n", 1);
    const [, status, ...phrase] = line.split(" ");
    if (status === CONNECTED) return socket;
    throw new Error(`the proxy answered ${peerText([status, ...phrase].join(" ")).trim()}`);
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function openProxy(proxy: ProxyUrl, { authorities, signal }: TunnelDeps): Socket {
  const { url, host } = proxy;
  const socket =
    url.protocol === "https:"
      ? openTls(tlsOptions(proxy, authorities))
      : openPlain({ host, port: Number(url.port || 80) });
  const abandon = () => socket.destroy(new Error("nobody waits for the connection any more"));
  if (signal.aborted) abandon();
  signal.addEventListener("abort", abandon, { once: true });
  socket.once("close", () => signal.removeEventListener("abort", abandon));
  // whoever waits is told in other ways; one that nobody waits for would end the process
  return socket.on("error", () => undefined);
}

function tlsOptions({ url, host }: ProxyUrl, authorities: string[] | undefined): ConnectionOptions {
  const options: ConnectionOptions = {
    host,
    port: Number(url.port || 443),
    ALPNProtocols: ["http/1.1"],
  };
  // an address is no name that TLS could be asked for
  if (isIP(host) === 0) options.servername = host;
  if (authorities !== undefined) options.ca = authorities;
  return options;
}

function request({ user, password }: ProxyUrl, { host, port }: TunnelTarget): string {
  const authority = isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
  const lines = [`CONNECT ${authority} HTTP/1.1`, `Host: ${authority}`, "Proxy-Connection: close"];
  if (user !== "" || password !== "") {
    const login = Buffer.from(`${user}:${password}`).toString("base64");
    lines.push(`Proxy-Authorization: Basic ${login}`);
  }
  return `${lines.join("\r\n")}${END_OF_ANSWER}`;
}

/** The head of the answer. Read piece by piece, so that the socket keeps what is for others. */
function readAnswer(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = "";
    let isOver = false;
    const ended = () => finish(new Error("the proxy ended the connection without an answer"));
    const finish = (error?: Error) => {
      isOver = true;
      socket.off("readable", read).off("end", ended).off("error", finish).off("close", ended);
      if (error === undefined) resolve(answer);
      else reject(error);
    };
    const read = () => {
      while (!isOver) {
        const piece: Buffer | null = socket.read();
        if (piece === null) return;
        answer += piece.toString("latin1");
        const isTooLong = answer.length > ANSWER_MAX_BYTES;
        if (answer.includes(END_OF_ANSWER)) finish();
        else if (isTooLong) finish(new Error("the proxy's answer is too long"));
      }
    };
    socket.on("readable", read).on("end", ended).on("error", finish).on("close", ended);
  });
}
