import { REQUESTS, TUNNEL_CHANNEL } from "@rport/protocol/agent";
import type { Channel } from "@rport/protocol/wire/channel";
import { Connection } from "@rport/protocol/wire/connection";
import { type ServerLogin, serverTransport } from "@rport/protocol/wire/transport";
import { RequestRefused } from "@rport/protocol/wire/wireError";
import { LOGIN, listen, SERVER_KEY } from "../wire/wirePair.ts";
import { within } from "../within.ts";

/** What a test changes about the server. */
export interface AgentServerOptions {
  readonly login?: ServerLogin;
  /** What the server lists in `put_capabilities`; none by default, as rportd. */
  readonly features?: readonly string[];
  /** Throws the text to refuse a registration. */
  readonly onRegister?: (request: Registration) => void;
  /** Answers what agents ask for beside that, unless it throws; refused without it. */
  readonly onRequest?: (name: string, body: unknown) => void;
  /** Sees every byte that agents send, before the transport does. */
  readonly onBytes?: (bytes: Buffer) => void;
}

/** The JSON of `new_connection`, as it came. */
export type Registration = Readonly<Record<string, unknown>>;

/** One registered agent, seen from the server. */
export class ServerSession {
  readonly connection: Connection;
  readonly user: string;
  readonly registration: Registration;
  /** Pings the agent has sent. */
  readonly pings: () => number;

  constructor(
    connection: Connection,
    about: Pick<ServerSession, "user" | "registration" | "pings">,
  ) {
    this.connection = connection;
    this.user = about.user;
    this.registration = about.registration;
    this.pings = about.pings;
  }

  /** Asks the agent with JSON; the answer's payload is given as text. */
  async ask(name: string, body?: object): Promise<{ ok: boolean; text: string }> {
    const payload = Buffer.from(body === undefined ? "" : JSON.stringify(body));
    const reply = await this.connection.request(name, payload, 10_000);
    return { ok: reply.ok, text: reply.payload.toString() };
  }

  /** Opens a tunnel channel to a target. */
  async open(target: string): Promise<Channel> {
    return await this.connection.open(TUNNEL_CHANNEL, Buffer.from(target));
  }
}

/** An RPort server of a few lines: registers agents and hands them to the test, in order. */
export interface AgentServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** The next agent that registers. */
  next(): Promise<ServerSession>;
}

/** Listens on a free port, or on the given one. */
export async function startAgentServer(options: AgentServerOptions = {}): Promise<AgentServer> {
  const arrived: ServerSession[] = [];
  const waiting: ((session: ServerSession) => void)[] = [];
  const deliver = (session: ServerSession) => {
    const next = waiting.shift();
    if (next === undefined) arrived.push(session);
    else next(session);
  };
  const listener = await listen((ws) => {
    if (options.onBytes !== undefined) ws.on("message", (data: Buffer) => tell(options, data));
    const transport = serverTransport(ws, { serverKey: SERVER_KEY, login: options.login ?? LOGIN });
    serve(transport, options, deliver);
  });
  const coming = () => new Promise<ServerSession>((resolve) => waiting.push(resolve));
  return {
    url: listener.url,
    port: listener.port,
    next: async () => arrived.shift() ?? (await within("an agent to register", coming())),
    [Symbol.asyncDispose]: () => listener[Symbol.asyncDispose](),
  };
}

function tell(options: AgentServerOptions, data: Buffer | Buffer[]): void {
  for (const bytes of Array.isArray(data) ? data : [data]) options.onBytes?.(bytes);
}

function serve(
  transport: ReturnType<typeof serverTransport>,
  options: AgentServerOptions,
  deliver: (session: ServerSession) => void,
): void {
  let pings = 0;
  const connection: Connection = new Connection(transport, {
    halfClose: options.features?.includes("half-close") ?? false,
    onOpen: () => ({ refuse: "agents do not open channels" }),
    onRequest: async (name, payload) => {
      if (name === REQUESTS.ping) {
        pings += 1;
        return undefined;
      }
      if (name !== REQUESTS.newConnection) {
        if (options.onRequest === undefined) throw new RequestRefused("unexpected request");
        options.onRequest(name, JSON.parse(payload.toString()));
        return undefined;
      }
      const registration = JSON.parse(payload.toString()) as Registration;
      refuseOrAccept(options, registration);
      const { user } = await transport.ready;
      setImmediate(() => {
        connection.notify(REQUESTS.putCapabilities, capabilities(options));
        deliver(new ServerSession(connection, { user, registration, pings: () => pings }));
      });
      return Buffer.from("[]");
    },
  });
}

function refuseOrAccept(options: AgentServerOptions, registration: Registration): void {
  try {
    options.onRegister?.(registration);
  } catch (error) {
    throw new RequestRefused(error instanceof Error ? error.message : "refused");
  }
}

function capabilities({ features }: AgentServerOptions): Buffer {
  const go = { ServerVersion: "1.0.0", MonitoringVersion: 0, IPAddressesVersion: 0 };
  return Buffer.from(JSON.stringify(features === undefined ? go : { ...go, Features: features }));
}
