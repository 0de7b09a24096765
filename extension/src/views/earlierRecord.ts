import type { Client } from "@rport/protocol/model";
import { displayName } from "../model/arrange.ts";
import type { Server } from "../servers/server.ts";

/** What a host was called under its earlier id; empty when it has none that is known. */
export function earlierName({ mirror }: Server, { looks_like: id }: Client): string {
  const earlier = id === null ? undefined : mirror.maps.clients.get(id);
  return earlier === undefined ? "" : displayName(earlier);
}

/** Whether a host looks like one that was shut out, and so is nobody to be helped in. */
export function isLikeRevoked({ mirror }: Server, { looks_like: id }: Client): boolean {
  const earlier = id === null ? undefined : mirror.maps.clients.get(id);
  return earlier !== undefined && earlier.revoked_at !== null;
}
