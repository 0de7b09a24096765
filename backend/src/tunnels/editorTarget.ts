import { RportError } from "@rport/protocol/errors";
import { type ClientId, clientIdSchema } from "@rport/protocol/ids";
import { type HostPort, parseHostPort } from "@rport/protocol/remote";

/** Where an editor tunnel goes. */
export interface EditorTarget {
  readonly clientId: ClientId;
  readonly target: HostPort;
}

/** Reads `client_id`, `host` and `port` of an editor tunnel. Throws `BAD_REQUEST`. */
export function editorTarget(query: Readonly<Record<string, unknown>>): EditorTarget {
  const clientId = requireClientId(query);
  const { host = "127.0.0.1", port } = query;
  const isText = typeof host === "string" && typeof port === "string";
  const written = isText && host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
  const target = isText ? parseHostPort(`${written}:${port}`) : undefined;
  if (target === undefined) throw new RportError("BAD_REQUEST", "host and port name no target.");
  return { clientId, target };
}

/** Reads `client_id`. Throws `BAD_REQUEST`. */
export function requireClientId(query: Readonly<Record<string, unknown>>): ClientId {
  const { data } = clientIdSchema.safeParse(query.client_id);
  if (data !== undefined) return data;
  throw new RportError("BAD_REQUEST", "client_id is missing or not valid.");
}
