import { isIP, type Socket } from "node:net";
import { formatHostPort, type HostPort, parseHostPort } from "@rport/protocol/remote";
import type { Channel } from "@rport/protocol/wire/channel";
import type { ChannelDecision } from "@rport/protocol/wire/connection";
import { Relays } from "@rport/protocol/wire/relay";
import { troubleOf } from "../platform/descriptors.ts";
import { loggedFault } from "../platform/faults.ts";
import type { Log } from "../platform/log.ts";
import { whyForbidden } from "./allow.ts";
import {
  type ConnectOptions,
  checkTarget,
  connectTo,
  type TargetCheck,
  type TargetDeps,
} from "./target.ts";

/** What dialling needs. */
export interface DialDeps extends TargetDeps {
  readonly log: Log;
}

/**
 * Dials that go on for what a user sent before they closed. Such bytes are delivered, as over a wire; but
 * nobody may keep any number of dials going by that.
 */
const LINGERING = 64;

type Denied = Exclude<TargetCheck, { kind: "allowed" }>;

/** While a channel's target is looked up and dialled. */
interface Dialling {
  /** Fires when nobody waits for the connection any more. */
  readonly signal: AbortSignal;
  /** It is connected, or will not be. Harmless when called twice. */
  end(): void;
}

/** What the log says about a target that is not dialled. */
const SENTENCES = {
  forbidden: "refused a tunnel target",
  unknown: "a tunnel target has no address",
} as const satisfies Record<Denied["kind"], string>;

/** Connects the channels a server opens with the targets they name. */
export class Dialer {
  readonly #deps: DialDeps;
  readonly #relays: Relays;
  readonly #lingering = new Set<Channel>();

  constructor(deps: DialDeps) {
    this.#deps = deps;
    this.#relays = new Relays(loggedFault(deps.log, "a stream of a tunnel"));
  }

  /** Bytes moved since it began, both ways. */
  get bytes(): number {
    return this.#relays.bytes;
  }

  /** Connections being relayed now. */
  get active(): number {
    return this.#relays.active;
  }

  /**
   * Decides about a channel by what it names: `host:port`, or `host:port/tcp`. As RPort does, it is
   * confirmed first and the target dialled then, so a target that does not answer shows as a
   * channel that closes at once. UDP is not spoken yet.
   */
  decide(extra: Buffer): ChannelDecision {
    const [place = "", protocol = "tcp"] = extra.toString("utf8").split("/");
    const target = parseHostPort(place);
    if (target === undefined) return { refuse: "the target is not host:port" };
    if (protocol !== "tcp") return { refuse: `this agent has no ${protocol.slice(0, 10)} tunnels` };
    const reason = this.#whyForbidden(target);
    if (reason !== undefined) {
      this.#deps.log.warn(SENTENCES.forbidden, { target: place, reason });
      return { refuse: reason };
    }
    return { accept: (channel) => void this.#serve(channel, target) };
  }

  /** Addresses are judged before the channel is confirmed; names have to be looked up first. */
  #whyForbidden({ host, port }: HostPort): string | undefined {
    return isIP(host) === 0 ? undefined : whyForbidden(this.#deps.rules, [host], port);
  }

  async #serve(channel: Channel, target: HostPort): Promise<void> {
    channel.on("error", () => {});
    const where = { target: formatHostPort(target) };
    const dialling = this.#untilClosed(channel);
    try {
      const options = { allowHalfOpen: channel.halfClose, signal: dialling.signal };
      const socket = await this.#connect(target, options);
      dialling.end();
      if ("kind" in socket) {
        if (dialling.signal.aborted) return;
        this.#deps.log.warn(SENTENCES[socket.kind], { ...where, reason: socket.reason });
        channel.destroy();
        return;
      }
      await this.#relays.join(socket, channel);
    } catch (error) {
      channel.destroy();
      if (dialling.signal.aborted) return;
      this.#deps.log.info("a tunnel target did not answer", { ...where, error: troubleOf(error) });
    } finally {
      dialling.end();
    }
  }

  /** A dial that nobody waits for any more ends, and with it the channel, whose room others need. */
  #untilClosed(channel: Channel): Dialling {
    const over = new AbortController();
    const abandon = () => over.abort(new Error("the channel was closed"));
    channel.once("close", abandon);
    channel.onPeerClosed = () => {
      if (channel.unread > 0 && this.#lingering.size < LINGERING) this.#lingering.add(channel);
      else channel.destroy();
    };
    const end = () => {
      channel.off("close", abandon);
      channel.onPeerClosed = undefined;
      this.#lingering.delete(channel);
    };
    return { signal: over.signal, end };
  }

  async #connect(target: HostPort, options: ConnectOptions): Promise<Socket | Denied> {
    const check = await checkTarget(target, this.#deps, options.signal);
    if (check.kind !== "allowed") return check;
    return await connectTo(check.target, options);
  }
}
