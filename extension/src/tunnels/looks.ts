import type { ServiceKind } from "../model/tunnels/greeting.ts";
import { describeError } from "../support/describeError.ts";
import { Forwarder } from "./forwarder.ts";
import type { LocalTunnel } from "./localTunnel.ts";
import type { LocalTunnelsDeps } from "./localTunnelsDeps.ts";

/**
 * Finds out what tunnels lead to, over ports of their own: what comes of it is no news about the tunnels'
 * connections.
 */
export class Looks {
  readonly #deps: Pick<LocalTunnelsDeps, "accessTo" | "look" | "log">;
  /** With the server that each leads through. */
  readonly #running = new Map<Forwarder, string>();

  constructor(deps: Pick<LocalTunnelsDeps, "accessTo" | "look" | "log">) {
    this.#deps = deps;
  }

  /** What is at a tunnel's other end; undefined when nothing was found. */
  async kindOf(
    tunnel: Pick<LocalTunnel, "serverKey" | "clientId" | "remote">,
  ): Promise<ServiceKind | undefined> {
    const { serverKey, clientId, remote } = tunnel;
    const { accessTo, look, log } = this.#deps;
    const access = accessTo(serverKey);
    if (look === undefined || access === undefined) return undefined;
    try {
      const apart = await Forwarder.listen({ access, clientId, remote }, [0]);
      this.#running.set(apart, serverKey);
      return await look(apart.port, remote.port).finally(() => {
        this.#running.delete(apart);
        apart.close();
      });
    } catch (error) {
      log.debug("what a tunnel leads to was not found out", { why: describeError(error) });
      return undefined;
    }
  }

  /** Cuts those that look through a server. */
  cutOf(serverKey: string, why: string): void {
    for (const [apart, key] of this.#running) if (key === serverKey) apart.cut(why);
  }
}
