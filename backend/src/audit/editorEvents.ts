import { RportError } from "@rport/protocol/errors";
import type { ClientId } from "@rport/protocol/ids";
import { formatHostPort, type HostPort } from "@rport/protocol/remote";
import type { Bursts } from "./bursts.ts";

/** Someone who opens a stream. */
export interface StreamOpener {
  readonly user: string;
  readonly address: string;
}

/** Where a stream goes. */
export interface StreamTarget {
  readonly clientId: ClientId;
  readonly hostname: string | undefined;
  readonly target: HostPort;
}

interface Opening {
  readonly opener: StreamOpener;
  readonly to: StreamTarget;
  readonly action: "open" | "failed";
  readonly reason?: string;
}

/**
 * Writes down which streams editors open. A browser opens many at once: those beyond a few per
 * minute, user and target are counted, and nobody waits for the entries.
 */
export class EditorEvents {
  readonly #bursts: Bursts;

  constructor(bursts: Bursts) {
    this.#bursts = bursts;
  }

  /** What `dial` answers or throws, written down. */
  async watched<T>(opener: StreamOpener, to: StreamTarget, dial: () => Promise<T>): Promise<T> {
    try {
      const stream = await dial();
      this.#note({ opener, to, action: "open" });
      return stream;
    } catch (error) {
      this.#note({ opener, to, action: "failed", reason: RportError.from(error).message });
      throw error;
    }
  }

  #note({ opener, to, action, reason }: Opening): void {
    const { user, address } = opener;
    const target = formatHostPort(to.target);
    this.#bursts.note(`stream ${action} ${user} ${address} ${to.clientId} ${target}`, {
      application: "client.tunnel.editor",
      action,
      user,
      remoteIp: address,
      affectedId: target,
      clientId: to.clientId,
      clientHostname: to.hostname,
      response: { reason },
    });
  }
}
