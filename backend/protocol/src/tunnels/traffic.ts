import { z } from "zod";
import { endpoint, none } from "../endpointEntry.ts";
import { clientIdSchema, tunnelIdSchema } from "../ids.ts";
import { time } from "../texts.ts";

const count = z.number().int().nonnegative();

/** What went through a tunnel of the server since it was opened, which it is anew with each connection of its client. */
export const tunnelTrafficSchema = z.object({
  /** When counting began. */
  since: time,
  /** TCP connections that are open now. */
  connections: count,
  /** Connections since then, with those that are open. */
  connections_total: count,
  /** When a connection came or went last; null: there was none yet. */
  used_at: time.nullable(),
  bytes_to_client: count,
  bytes_from_client: count,
});

/** What went through a tunnel of the server. */
export type TunnelTraffic = z.infer<typeof tunnelTrafficSchema>;

/** Endpoints about what tunnels are used for. */
export const TRAFFIC_ENDPOINTS = {
  /** Only of a tunnel that is open: `NOT_FOUND` for others. */
  getTunnelTraffic: endpoint({
    method: "GET",
    path: "/clients/:clientId/tunnels/:tunnelId/traffic",
    right: "tunnels",
    params: z.object({ clientId: clientIdSchema, tunnelId: tunnelIdSchema }),
    query: none,
    body: undefined,
    output: tunnelTrafficSchema,
    status: 200,
  }),
} as const;
