import { isIP, type Socket } from "node:net";
import { formatHostPort, type HostPort, parseHostPort } from "@rport/protocol/remote";
import type { Channel } from "@rport/protocol/wire/channel";
import type { ChannelDecision } from "@rport/protocol/wire/connection";
import { Relays } from "@rport/protocol/wire/relay";
import { troubleOf } from "../platform/descriptors.ts";
import { loggedFault } from "../platform/faults.ts";
import type { Log } from "../platform/log.ts";
import { type TunnelRule, whyForbidden } from "./allow.ts";
import { checkTarget, connectTo, type Lookup, type TargetCheck } from "./target.ts";

/** What dialling needs. */
export interface DialDeps {
  readonly rules: readonly TunnelRule[];
  readonly resolve: Lookup;
  readonly log: Log;
}

type Denied = Exclude<TargetCheck, { kind: "allowed" }>;

/** What the log says about a target that is not dialled. */
const SENTENCES = {
  forbidden: "refused a tunnel target",
  unknown: "a tunnel target has no address",
} as const satisfies Record<Denied["kind"], string>;

/** Connects the channels a server opens with the targets they name. */
export class Dialer {
  readonly #deps: DialDeps;
  readonly #relays: Relays;

  constructor(deps: DialDeps) {
    this.#deps = deps;
    this.#relays = new Relays(loggedFault(deps.log, "a stream of a tunnel"));
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
    try {
      const socket = await this.#connect(target, channel.halfClose);
      if ("kind" in socket) {
        this.#deps.log.warn(SENTENCES[socket.kind], { ...where, reason: socket.reason });
        channel.destroy();
        return;
      }
      await this.#relays.join(socket, channel);
    } catch (error) {
      channel.destroy();
      this.#deps.log.info("a tunnel target did not answer", { ...where, error: troubleOf(error) });
    }
  }

  async #connect(target: HostPort, allowHalfOpen: boolean): Promise<Socket | Denied> {
    const { rules, resolve } = this.#deps;
    const check = await checkTarget(target, rules, resolve);
    if (check.kind !== "allowed") return check;
    return await connectTo(check.target, { allowHalfOpen });
  }
}
