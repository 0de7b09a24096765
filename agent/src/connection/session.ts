import { AGENT_STOPS, FEATURES, REQUESTS } from "@rport/protocol/agent";
import type { HostKeyProof } from "@rport/protocol/hostKey";
import { Connection } from "@rport/protocol/wire/connection";
import { guarded } from "@rport/protocol/wire/contain";
import {
  fingerprintMatches,
  md5Fingerprint,
  sha256Fingerprint,
} from "@rport/protocol/wire/serverKey";
import { clientTransport, type TransportLimits } from "@rport/protocol/wire/transport";
import { type CloseReason, peerText, WireError } from "@rport/protocol/wire/wireError";
import type { ChannelTable } from "../channels/channelTable.ts";
import type { AgentConfig } from "../config/config.ts";
import type { CredentialStore } from "../config/credentialStore.ts";
import type { ListenerReader } from "../machine/listeners.ts";
import type { Clock, Timer } from "../platform/clock.ts";
import { loggedFault } from "../platform/faults.ts";
import type { Log } from "../platform/log.ts";
import { Control } from "../requests/control.ts";
import type { Terminals } from "../terminal/terminals.ts";
import type { Lookup } from "../tunnels/target.ts";
import { endListener } from "./endListener.ts";
import { leftOutRemotes } from "./openedRemotes.ts";
import { Patience } from "./patience.ts";
import { openWebSocket } from "./webSocket.ts";

/** Time the server gets to register us; RPort's client gives it 96 s in all. */
const REGISTER_MS = 60_000;
/** Streams that a server may have open here at once; what they hold together is bounded, too. */
const MAX_CHANNELS = 4_096;
/** However often it says that somebody is being asked about us. */
const HELD_MAX_MS = 24 * 3_600_000;
/** So that agents do not ping in step: up to a tenth of the interval is added, at most this. */
const JITTER_MAX_MS = 5_000;

/** What a session is made of. */
export interface SessionDeps {
  readonly config: AgentConfig;
  readonly credentials: CredentialStore;
  readonly channels: ChannelTable;
  readonly terminals: Terminals;
  readonly resolve: Lookup;
  /** Which ports of this host somebody listens on; undefined: that cannot be found out here. */
  readonly listeners?: ListenerReader | undefined;
  readonly clock: Clock;
  /** From 0 up to, not including, 1. */
  readonly random: () => number;
  readonly log: Log;
  /** Signs a challenge of the server, as the client that registers; undefined: there is no key. */
  readonly proveHostKey?: ((challenge: Omit<HostKeyProof, "clientId">) => string) | undefined;
  /** Told when the server lets this host wait until somebody approves it. */
  readonly onHeld?: (() => void) | undefined;
  /** What the connection allows, where it differs from the usual. */
  readonly transportLimits?: Partial<TransportLimits>;
}

/** One connection to one server, from the login to its end. */
export class Session {
  readonly server: string;
  /** Resolves once with the reason when the connection has ended for whatever cause. */
  readonly closed: Promise<CloseReason>;
  readonly #connection: Connection;
  readonly #deps: SessionDeps;
  readonly #patience: Patience;
  #pingTimer: Timer | undefined;

  private constructor(server: string, { connection, patience }: Served, deps: SessionDeps) {
    this.server = server;
    this.closed = connection.closed;
    this.#connection = connection;
    this.#patience = patience;
    this.#deps = deps;
  }

  /**
   * Dials and logs in; the password leaves only after the server's key was found to be the pinned
   * one. Requests and channels are served from the first moment. Rejects with a `WireError`.
   */
  static async logIn(server: string, deps: SessionDeps, signal: AbortSignal): Promise<Session> {
    const { config, credentials, log, transportLimits: limits = {} } = deps;
    const { authId, secret } = credentials.current;
    let serverFingerprint = "";
    let shown = "";
    const transport = clientTransport(await openWebSocket(server, config, deps.clock), {
      user: authId,
      password: secret,
      verifyServerKey: (publicKey) => {
        serverFingerprint = sha256Fingerprint(publicKey);
        shown = config.fingerprint.startsWith("SHA256:")
          ? serverFingerprint
          : md5Fingerprint(publicKey);
        return fingerprintMatches(config.fingerprint, publicKey);
      },
      limits,
      onFault: loggedFault(log, "a connection to the server"),
    });
    const served = serve(transport, deps, () => serverFingerprint);
    const { connection } = served;
    const abandon = () => connection.close(AGENT_STOPS);
    signal.addEventListener("abort", abandon, { once: true });
    try {
      if (signal.aborted) abandon();
      await transport.ready;
    } catch (error) {
      if (!(error instanceof WireError) || error.kind !== "serverKey") throw error;
      throw new WireError("serverKey", `${error.message}: the server showed ${shown}`);
    } finally {
      signal.removeEventListener("abort", abandon);
    }
    return new Session(server, served, deps);
  }

  /**
   * Registers this host, and keeps the connection alive from then on. Rejects with a `WireError`
   * when the server refuses; the connection is closed then, as rportd would leave it open.
   */
  async register(request: Buffer): Promise<void> {
    this.#patience.begin();
    const reply = await this.#connection
      .request(REQUESTS.newConnection, request, HELD_MAX_MS)
      .finally(() => this.#patience.end());
    if (!reply.ok) {
      const text = `the server refused this agent: ${peerText(reply.payload.toString("utf8"))}`;
      this.close(text);
      throw new WireError("refused", text);
    }
    this.#tellOfLeftOut(reply.payload);
    this.#schedulePing();
    void this.closed.then(() => this.#pingTimer?.cancel());
  }

  /** Says goodbye and ends the connection. */
  close(reason: string): void {
    this.#connection.close(reason);
  }

  /** What somebody wrote into the configuration, and what no server says by itself. */
  #tellOfLeftOut(answer: Buffer): void {
    const { config, log } = this.#deps;
    const tunnels = leftOutRemotes(config.remotes, answer);
    if (tunnels.length === 0) return;
    log.warn("the server left out tunnels of client.remotes", { tunnels: tunnels.join(", ") });
  }

  #schedulePing(): void {
    const { config, clock, random } = this.#deps;
    if (config.keepAliveMs === 0) return;
    const jitterMs = Math.min(config.keepAliveMs / 10, JITTER_MAX_MS) * random();
    this.#pingTimer = clock.after(config.keepAliveMs + jitterMs, () => void this.#ping());
  }

  /** A ping that is not answered in time ends the connection. */
  async #ping(): Promise<void> {
    const { keepAliveTimeoutMs } = this.#deps.config;
    try {
      await this.#connection.request(REQUESTS.ping, Buffer.alloc(0), keepAliveTimeoutMs);
      this.#schedulePing();
    } catch {
      // The connection has ended, and `closed` tells why.
    }
  }
}

/** A connection, and how long it waits to be registered. */
interface Served {
  readonly connection: Connection;
  readonly patience: Patience;
}

function serve(
  transport: ReturnType<typeof clientTransport>,
  deps: SessionDeps,
  serverFingerprint: () => string,
): Served {
  const { config, credentials, channels, clock, log, resolve, listeners, proveHostKey } = deps;
  const { terminals } = deps;
  let stopListening = () => {};
  const control = new Control({
    rules: config.tunnelAllowed,
    resolve,
    listeners,
    tells: config.tellsListeningPorts,
    credentials,
    terminals,
    clock,
    log,
    proveHostKey:
      proveHostKey === undefined
        ? undefined
        : (nonce) => proveHostKey({ nonce, serverFingerprint: serverFingerprint() }),
    onHeld: () => {
      patience.extend();
      deps.onHeld?.();
    },
    onFeatures: (features) => {
      connection.halfClose = features.has(FEATURES.halfClose);
      if (features.has(FEATURES.terminal))
        stopListening = terminals.listen(endListener(connection, serverFingerprint()));
    },
    onEnded: (ended) =>
      connection.notify(REQUESTS.requestEnded, Buffer.from(JSON.stringify(ended))),
  });
  const connection = new Connection(transport, {
    maxChannels: MAX_CHANNELS,
    onRequest: (name, payload) => control.answer(name, payload),
    onOpen: (type, extra) => channels.decide(type, extra),
    onFault: (error, name) => log.error("a request failed", { name, error: String(error) }),
  });
  const end = () => {
    control.end();
    stopListening();
  };
  void connection.closed.then(guarded(loggedFault(log, "an end"), end));
  const patience = new Patience(clock, REGISTER_MS, () => {
    transport.fail(new WireError("timeout", "no reply to new_connection in time"));
  });
  return { connection, patience };
}
