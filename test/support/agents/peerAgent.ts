import { connect } from "node:net";
import { REQUESTS, TUNNEL_CHANNEL } from "@rport/protocol/agent";
import { parseHostPort } from "@rport/protocol/remote";
import { TERMINAL_CHANNEL } from "@rport/protocol/terminal/terminal";
import { type ChannelDecision, Connection } from "@rport/protocol/wire/connection";
import { relay } from "@rport/protocol/wire/relay";
import { clientTransport } from "@rport/protocol/wire/transport";
import { type CloseReason, RequestRefused, WireError } from "@rport/protocol/wire/wireError";
import { WebSocket } from "ws";

/** What a test decides about its agent. */
export interface PeerAgentOptions {
  /** `ws://host:port`. */
  readonly url: string;
  readonly user: string;
  readonly password: string;
  /** The address of this machine it connects from, such as 127.0.0.2. */
  readonly from?: string;
  /** Further headers of its HTTP request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Keys of `new_connection` that differ from a plain one. */
  readonly introduction?: Readonly<Record<string, unknown>>;
  /** Answers the server's requests before the usual answers; undefined: the usual one. */
  readonly onRequest?:
    | ((name: string, payload: Buffer) => Promise<Buffer | undefined> | Buffer | undefined)
    | undefined;
  /** Decides about the channels of terminals, as the agent's own code does. */
  readonly onTerminal?: ((extra: Buffer) => ChannelDecision) | undefined;
  /** Text to refuse channels with, as an agent whose `tunnel_allowed` says no. */
  readonly refuseChannels?: string;
}

/** A request the server sent. */
export interface Heard {
  readonly name: string;
  readonly text: string;
}

/**
 * An agent of a few lines on the wire library, for tests of the server's side: it signs in,
 * introduces itself when told to, and connects channels to their targets.
 */
export class PeerAgent implements AsyncDisposable {
  /** What the server asked or told, in order. */
  readonly heard: Heard[] = [];
  readonly connection: Connection;
  readonly #options: PeerAgentOptions;
  readonly #socket: WebSocket;

  private constructor(
    connection: (agent: PeerAgent) => Connection,
    options: PeerAgentOptions,
    socket: WebSocket,
  ) {
    this.#options = options;
    this.#socket = socket;
    this.connection = connection(this);
  }

  /** Signs in. Rejects with a `WireError` when the server does not let it. */
  static async signIn(options: PeerAgentOptions): Promise<PeerAgent> {
    const { url, user, password, from } = options;
    // As a header: the server does not repeat the subprotocol, which ws would take for an error.
    const headers = { "Sec-WebSocket-Protocol": "rport-v1", ...options.headers };
    const localAddress = from === undefined ? {} : { localAddress: from };
    const ws = new WebSocket(url, { headers, perMessageDeflate: false, ...localAddress });
    const transport = clientTransport(ws, { user, password, verifyServerKey: () => true });
    const agent = new PeerAgent((self) => self.#connect(transport), options, ws);
    await transport.ready;
    return agent;
  }

  /** Signs in and introduces itself. Rejects with the server's text when that is refused. */
  static async join(options: PeerAgentOptions): Promise<PeerAgent> {
    const agent = await PeerAgent.signIn(options);
    await agent.introduce();
    return agent;
  }

  /** Sends `new_connection`; answers with the server's list of tunnels. */
  async introduce(): Promise<Record<string, unknown>[]> {
    const introduction = { ...PLAIN_INTRODUCTION, ...this.#options.introduction };
    const reply = await this.ask(REQUESTS.newConnection, introduction);
    if (!reply.ok) throw new Error(reply.text);
    return JSON.parse(reply.text);
  }

  /** Any request, with the answer as text. */
  async ask(name: string, body?: object): Promise<{ readonly ok: boolean; readonly text: string }> {
    const payload = Buffer.from(body === undefined ? "" : JSON.stringify(body));
    const reply = await this.connection.request(name, payload, 10_000);
    return { ok: reply.ok, text: reply.payload.toString() };
  }

  /** The server's requests of one name so far. */
  heardOf(name: string): readonly string[] {
    return this.heard.filter((one) => one.name === name).map((one) => one.text);
  }

  get closed(): Promise<CloseReason> {
    return this.connection.closed;
  }

  /** Goes away without a word, as when the host loses its power. */
  close(): void {
    this.connection.transport.close("the test agent leaves");
  }

  /** Its line is cut: not even the wire's own goodbye is sent. */
  vanish(): void {
    this.#socket.terminate();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.closed;
  }

  #connect(transport: ReturnType<typeof clientTransport>): Connection {
    return new Connection(transport, {
      onRequest: (name, payload) => this.#answer(name, payload),
      onOpen: (type, extra) => {
        const { refuseChannels, onTerminal } = this.#options;
        if (refuseChannels !== undefined) return { refuse: refuseChannels };
        if (type === TERMINAL_CHANNEL && onTerminal !== undefined) return onTerminal(extra);
        const target = parseHostPort(extra.toString("latin1"));
        if (type !== TUNNEL_CHANNEL || target === undefined) return { refuse: "unknown channel" };
        return {
          accept: (channel) => void relay(channel, connect({ ...target, allowHalfOpen: true })),
        };
      },
    });
  }

  async #answer(name: string, payload: Buffer): Promise<Buffer | undefined> {
    this.heard.push({ name, text: payload.toString() });
    const own = await this.#options.onRequest?.(name, payload);
    if (own !== undefined) return own;
    if (name === REQUESTS.ping || name === REQUESTS.putCapabilities) return undefined;
    if (name === REQUESTS.checkTunnelAllowed) return Buffer.from('{"IsAllowed":true}');
    if (name === REQUESTS.checkPort) return Buffer.from('{"Open":true,"ErrMsg":""}');
    throw new RequestRefused("unknown request");
  }
}

/** Whether the server lets somebody in with this auth id and password. */
export async function isLetIn(
  login: Pick<PeerAgentOptions, "url" | "user" | "password">,
): Promise<boolean> {
  try {
    await using _agent = await PeerAgent.signIn({
      ...login,
      url: login.url.replace(/^http/, "ws"),
    });
    return true;
  } catch (caught) {
    if (caught instanceof WireError && caught.kind === "login") return false;
    throw caught;
  }
}

/** As a Go client introduces itself: null for empty lists, no features. */
export const PLAIN_INTRODUCTION = {
  ID: "machine-1",
  Name: "web01",
  SessionID: "5c2a4c1e-0000-4000-8000-000000000001",
  OS: "Linux web01 6.1.0",
  OSFullName: "Debian 12.5",
  OSVersion: "12.5",
  OSVirtualizationSystem: "KVM",
  OSVirtualizationRole: "guest",
  OSArch: "amd64",
  OSFamily: "debian",
  OSKernel: "linux",
  Version: "0.9.14",
  Hostname: "web01.example.com",
  CPUFamily: "6",
  CPUModel: "85",
  CPUModelName: "Xeon",
  CPUVendor: "GenuineIntel",
  NumCPUs: 2,
  MemoryTotal: 4_104_212_480,
  Timezone: "CET (UTC+01:00)",
  IPv4: ["192.0.2.11"],
  IPv6: null,
  Tags: null,
  Labels: null,
  Remotes: null,
  ClientConfiguration: { client: { auth: "clientAuth1:secret" } },
};
