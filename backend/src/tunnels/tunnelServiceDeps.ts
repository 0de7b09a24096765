import type { AuthId } from "@rport/protocol/ids";
import type { TunnelEvents } from "../audit/tunnelEvents.ts";
import type { Limits } from "../limits/limits.ts";
import type { PortRanges } from "../platform/portRanges.ts";
import type { AskingRight } from "./askedTunnels.ts";
import type { OpenerDeps } from "./clientTunnels.ts";
import type { KeptPorts } from "./keptPorts.ts";
import type { TunnelClients } from "./remembered.ts";

/** What the service needs. */
export interface TunnelServiceDeps
  extends Omit<OpenerDeps, "ports" | "asked" | "bind" | "open" | "limits"> {
  readonly clients: TunnelClients;
  readonly limits: Pick<Limits, "max" | "bite" | "isShared" | "watch">;
  readonly touch: (entity: "tunnel", id: string) => void;
  /**
   * Where tunnels listen unless a person's request says otherwise: `tunnels.bind`. Undefined: on
   * this machine only, unless a person or a host says otherwise.
   */
  readonly bind?: string | undefined;
  /** The ports that there are; they do not overlap. */
  readonly ranges: PortRanges;
  readonly kept: KeptPorts;
  /** What agents of a credential may ask for. */
  readonly askingRight: (id: AuthId) => AskingRight;
  /** Writes down tunnels that no person asked for. */
  readonly events: Pick<TunnelEvents, "askedFor" | "expired">;
}
