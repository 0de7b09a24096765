import type { LocalTunnelNode, Node, ServerTunnelNode } from "../model/node.ts";
import { tunnelTooltip } from "../model/rows/tunnelTooltip.ts";
import {
  earlier,
  type Traffic,
  type TrafficLook,
  throughput,
  trafficOf,
} from "../model/tunnels/traffic.ts";
import type { Fleet } from "../servers/fleet.ts";
import { isAway } from "../servers/server.ts";
import { type Clock, pause } from "../support/clock.ts";
import type { RowContext } from "./rowContext.ts";
import { rowOf } from "./rows.ts";

/** Between two looks that tell how much goes through: as long as somebody waits for a tooltip. */
const BETWEEN_LOOKS_MS = 1_000;

type TunnelNode = LocalTunnelNode | ServerTunnelNode;

/** What making a tooltip takes. */
export interface TooltipDeps {
  readonly rows: RowContext;
  readonly clock: Clock;
  /** Whether nobody waits for it any more. */
  readonly isOver: () => boolean;
}

/** Whether a row is a tunnel's. */
export function isTunnelNode(node: Node): node is TunnelNode {
  return node.kind === "localTunnel" || node.kind === "serverTunnel";
}

/**
 * What a hover over a tunnel shows, in Markdown. What went through is asked for now, of whoever has the
 * tunnel's listener, and a second time while somebody uses it. Where it cannot be told (an older server, one
 * that is away), the tooltip is without it.
 */
export async function tunnelTooltipOf(node: TunnelNode, deps: TooltipDeps): Promise<string> {
  const { rows, clock, isOver } = deps;
  const first = await lookAt(node, deps);
  let last = first;
  if (first !== undefined && first.traffic.connections > 0 && !isOver()) {
    await pause(BETWEEN_LOOKS_MS, clock);
    last = (isOver() ? undefined : await lookAt(node, deps)) ?? first;
  }
  return tunnelTooltip({
    row: rowOf(node, rows),
    traffic: last === undefined ? undefined : byOurClock(last.traffic, node, rows.fleet),
    now: first === undefined || last === undefined ? undefined : throughput(first, last),
    nowMs: clock.now(),
  });
}

async function lookAt(
  node: TunnelNode,
  { rows: { fleet }, clock }: TooltipDeps,
): Promise<TrafficLook | undefined> {
  const look = node.kind === "localTunnel" ? fleet.tunnels.look(node.tunnelId) : ask(node, fleet);
  const traffic = await look.catch(() => undefined);
  return traffic === undefined ? undefined : { traffic, atMs: clock.now() };
}

/** A server tells times by its own clock. */
function byOurClock(traffic: Traffic, node: TunnelNode, fleet: Pick<Fleet, "get">): Traffic {
  if (node.kind === "localTunnel") return traffic;
  return earlier(traffic, fleet.get(node.serverKey)?.time.aheadMs ?? 0);
}

async function ask({ serverKey, tunnelKey }: ServerTunnelNode, fleet: Pick<Fleet, "get">) {
  const server = fleet.get(serverKey);
  const tunnel = server?.mirror.maps.tunnels.get(tunnelKey);
  if (server === undefined || tunnel === undefined || isAway(server)) return undefined;
  const params = { clientId: tunnel.client_id, tunnelId: tunnel.id };
  return trafficOf(await server.api.call("getTunnelTraffic", { params }));
}
