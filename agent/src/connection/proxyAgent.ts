import type { ClientRequest } from "node:http";
import { isIP, type Socket } from "node:net";
import {
  type ConnectionOptions,
  checkServerIdentity,
  connect,
  type PeerCertificate,
  TLSSocket,
} from "node:tls";
import { ANY_CERTIFICATE, checkPin } from "@rport/protocol/tls/peerPin";
import type { TlsPin } from "@rport/protocol/tls/tlsPin";
import { Agent, type AgentConnectOpts } from "agent-base";
import { SocksProxyAgent } from "socks-proxy-agent";
import type { ProxyUrl } from "../config/proxyUrl.ts";
import { connectTunnel } from "./connectTunnel.ts";

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
}

/** An agent for one request through a proxy; the server's certificate is verified as without. */
export function proxyAgent(proxy: ProxyUrl, deps: ProxyAgentDeps) {
  return proxy.kind === "http" ? new ConnectAgent(proxy, deps) : new SocksAgent(proxy, deps);
}

/** CONNECT at an http or https proxy; only status 200 is success. */
class ConnectAgent extends Agent {
  readonly #proxy: ProxyUrl;
  readonly #deps: ProxyAgentDeps;

  constructor(proxy: ProxyUrl, deps: ProxyAgentDeps) {
    super();
    this.#proxy = proxy;
    this.#deps = deps;
  }

  override isSecureEndpoint(): boolean {
    return this.#deps.isTls;
  }

  override async connect(request: ClientRequest, options: AgentConnectOpts) {
    const { pins } = this.#deps;
    const { host = "", port } = options;
    const tunnel = await connectTunnel(this.#proxy, { host, port: Number(port) }, this.#deps);
    // who is given the connection begins to listen first
    request.once("socket", (socket: Socket) => setImmediate(() => socket.resume()));
    if (!this.#deps.isTls) return tunnel;
    const verified: ConnectionOptions = { ...verifying(options, pins) };
    for (const where of ["host", "port", "path"] as const) delete verified[where];
    const socket = connect({ ...verified, socket: tunnel });
    await requirePin(socket, pins);
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

  override async connect(request: ClientRequest, options: AgentConnectOpts) {
    const socket = await super.connect(request, verifying(options, this.#pins));
    await requirePin(socket, this.#pins);
    return socket;
  }
}

/**
 * The server is who its address says: Node would take the name of the `Host` header, and the
 * libraries `localhost` for a server that is named by its address.
 */
function verifying<T extends AgentConnectOpts>(options: T, pins: readonly TlsPin[]): T {
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
