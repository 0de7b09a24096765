import type { ClientRequest } from "node:http";
import { isIP, type Socket } from "node:net";
import { checkServerIdentity, type PeerCertificate, TLSSocket } from "node:tls";
import { ANY_CERTIFICATE, checkPin } from "@rport/protocol/tls/peerPin";
import type { TlsPin } from "@rport/protocol/tls/tlsPin";
import { peerText } from "@rport/protocol/wire/wireError";
import { HttpsProxyAgent } from "https-proxy-agent";
import { SocksProxyAgent } from "socks-proxy-agent";
import type { ProxyUrl } from "../config/proxyUrl.ts";

/** What requests behind a proxy need. */
export interface ProxyAgentDeps {
  /** Whether TLS is spoken with the server, through the proxy. */
  readonly isTls: boolean;
  /** What the server's TLS key has to be; empty: what its certificate says counts. */
  readonly pins: readonly TlsPin[];
  /** Whom to trust for a proxy that speaks TLS; undefined: the runtime's own list. */
  readonly authorities: string[] | undefined;
  /** Fires when nobody wants the connection any more. */
  readonly signal: AbortSignal;
  /** Told the status and the phrase of a proxy that does not connect us, fit for a log. */
  onRefused(answer: string): void;
}

/** An agent for one request through a proxy; the server's certificate is verified as without. */
export function proxyAgent(proxy: ProxyUrl, deps: ProxyAgentDeps) {
  return proxy.kind === "http" ? new ConnectAgent(proxy, deps) : new SocksAgent(proxy, deps);
}

type ConnectOptions = Parameters<HttpsProxyAgent<string>["connect"]>[1];

/** CONNECT at an http or https proxy; only status 200 is success. */
class ConnectAgent extends HttpsProxyAgent<string> {
  readonly #isTls: boolean;
  readonly #pins: readonly TlsPin[];

  constructor(proxy: ProxyUrl, deps: ProxyAgentDeps) {
    super(withoutLogin(proxy.url), {
      headers: loginHeader(proxy),
      signal: deps.signal,
      ca: deps.authorities,
    });
    this.#isTls = deps.isTls;
    this.#pins = deps.pins;
    this.on("proxyConnect", ({ statusCode, statusText }) => {
      if (statusCode !== 200) deps.onRefused(peerText(`${statusCode} ${statusText}`).trim());
    });
  }

  override isSecureEndpoint(): boolean {
    return this.#isTls;
  }

  override async connect(request: ClientRequest, options: ConnectOptions) {
    const socket = await super.connect(request, verifying(options, this.#pins));
    await requirePin(socket, this.#pins);
    return socket;
  }
}

/** SOCKS5, with or without a login. */
class SocksAgent extends SocksProxyAgent {
  readonly #isTls: boolean;
  readonly #pins: readonly TlsPin[];

  constructor(proxy: ProxyUrl, deps: ProxyAgentDeps) {
    super(proxy.url);
    this.proxy.host = proxy.host;
    this.#isTls = deps.isTls;
    this.#pins = deps.pins;
  }

  override isSecureEndpoint(): boolean {
    return this.#isTls;
  }

  override async connect(request: ClientRequest, options: ConnectOptions) {
    const socket = await super.connect(request, verifying(options, this.#pins));
    await requirePin(socket, this.#pins);
    return socket;
  }
}

/**
 * The server is who its address says: Node would take the name of the `Host` header, and the
 * libraries `localhost` for a server that is named by its address.
 */
function verifying<T extends ConnectOptions>(options: T, pins: readonly TlsPin[]): T {
  if (pins.length > 0) return { ...options, ...ANY_CERTIFICATE };
  const host = options.host ?? "";
  const name = isIP(host) === 0 ? { servername: host } : { servername: "" };
  return {
    ...options,
    ...name,
    checkServerIdentity: (_name: string, certificate: PeerCertificate) =>
      checkServerIdentity(host, certificate),
  };
}

/** Nothing is sent before the other end has proven its key. */
async function requirePin(socket: Socket, pins: readonly TlsPin[]): Promise<void> {
  if (pins.length > 0 && socket instanceof TLSSocket) await checkPin(socket, pins);
}

/** The library would show the login where it is asked to debug. */
function withoutLogin(url: URL): string {
  const bare = new URL(url);
  bare.username = "";
  bare.password = "";
  return bare.href;
}

function loginHeader({ user, password }: ProxyUrl): Record<string, string> {
  if (user === "" && password === "") return {};
  const basic = Buffer.from(`${user}:${password}`).toString("base64");
  return { "Proxy-Authorization": `Basic ${basic}` };
}
