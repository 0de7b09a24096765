import { formatHostPort, type HostPort } from "@rport/protocol/remote";
import { EXTENSION_ID } from "../manifest.ts";
import type { Route } from "./link.ts";

/** What of a server a link names it by. */
export interface LinkedServer {
  readonly name: string;
  readonly isLocal: boolean;
  readonly address: string;
  readonly fingerprint: string;
}

const OTHERS = /[^A-Za-z0-9\-._~:/@,]/gu;

/**
 * One value. The editor takes percent signs away once before an extension sees a link, so that what
 * separates parameters would be lost; written twice, it is not.
 */
function written(text: string): string {
  return text.toWellFormed().replaceAll(OTHERS, encoded).replaceAll("%", "%25");
}

/** Also what a Markdown text would take for the end of the link. */
function encoded(character: string): string {
  const usual = encodeURIComponent(character);
  return usual === character ? `%${character.charCodeAt(0).toString(16).toUpperCase()}` : usual;
}

function linkTo(scheme: string, route: Route, parameters: readonly (readonly [string, string])[]) {
  const query = parameters.map(([name, value]) => `${name}=${written(value)}`).join("&");
  return `${scheme}://${EXTENSION_ID}${route}?${query}`;
}

/** The address of a local backend is one of this computer only; what it is called, one of this editor. */
function whereOf({ name, isLocal, address, fingerprint }: LinkedServer) {
  const key = fingerprint === "" ? [] : [["fingerprint", fingerprint] as const];
  if (!isLocal) return [["server", address] as const, ...key];
  return key.length > 0 ? key : [["server", name] as const];
}

/** A link to a client, for an editor whose links begin with this scheme. */
export function clientLink(scheme: string, server: LinkedServer, clientId: string): string {
  return linkTo(scheme, "/client", [...whereOf(server), ["id", clientId]]);
}

/** A link that opens a tunnel to the same place. */
export function tunnelLink(
  scheme: string,
  server: LinkedServer,
  { clientId, remote }: { readonly clientId: string; readonly remote: HostPort },
): string {
  const place = formatHostPort(remote);
  return linkTo(scheme, "/tunnel", [...whereOf(server), ["client", clientId], ["remote", place]]);
}
