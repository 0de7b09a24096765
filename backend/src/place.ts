import { formatHostPort } from "@rport/protocol/remote";
import type { ServerStatus } from "@rport/protocol/serverStatus";
import type { Config } from "./config/config.ts";
import type { TlsSource } from "./tls/tlsSource.ts";

/** Programs of this machine, whoever reaches any address of it, or whoever reaches one. */
export type Reach = NonNullable<ServerStatus["listens_to"]>;

/** Who may be served on one address. */
export type Face = "agents" | "users" | "pairing" | "metrics";

/** An address to listen on, and who is served there. */
export interface Place {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly faces: ReadonlySet<Face>;
  /** Where its certificate comes from; absent: plain HTTP is spoken there. */
  readonly tls?: TlsSource | undefined;
}

/** What of a configuration says where to listen. */
export type Addresses = Pick<Config, "serverAddress" | "apiAddress" | "metricsAddress" | "tls">;

/**
 * The places of a configuration: one for all faces, or two when users are set apart; and one for
 * figures alone where that is wanted.
 */
export function placesOf(config: Addresses): Place[] {
  const { metricsAddress: figures } = config;
  const places = placesOfFaces(config);
  if (figures !== undefined) places.push({ ...figures, faces: new Set(["metrics"]) });
  return places;
}

function placesOfFaces({ serverAddress, apiAddress, tls }: Addresses): Place[] {
  if (serverAddress === apiAddress) {
    return [{ ...serverAddress, faces: new Set(["agents", "users", "pairing"]), tls: tls.server }];
  }
  return [
    { ...serverAddress, faces: new Set(["agents", "pairing"]), tls: tls.server },
    { ...apiAddress, faces: new Set(["users"]), tls: tls.api },
  ];
}

/** Whether only programs on the same machine reach a place. */
export function isLocal({ host }: Pick<Place, "host">): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}

/** The place that serves a face; there is one. */
export function placeOf(places: readonly Place[], face: Exclude<Face, "metrics">): Place {
  const place = places.find(({ faces }) => faces.has(face));
  if (place === undefined) throw new Error(`no address serves ${face}`);
  return place;
}

/** Who gets through to a place. */
export function reachOf({ host }: Pick<Place, "host">): Reach {
  if (isLocal({ host })) return "this-machine";
  return isWildcard(host) ? "all-addresses" : "one-address";
}

/** The origin under which a program on the same machine reaches a place. */
export function urlOf({ host, port, tls }: Omit<Place, "faces">): string {
  const near = isWildcard(host) ? "127.0.0.1" : host;
  return `${schemeOf({ tls })}://${formatHostPort({ host: near, port })}`;
}

/** What is spoken at a place. */
export function schemeOf({ tls }: Pick<Place, "tls">): "http" | "https" {
  return tls === undefined ? "http" : "https";
}

/**
 * The origin of the place `to`, for somebody who reached this server under `origin` at another
 * place: the same name with the other port, and what is spoken there, unless `to` listens on one address only.
 */
export function originAt(to: Place, origin: string): string {
  if (!isWildcard(to.host)) return urlOf(to);
  const { hostname } = new URL(origin);
  return `${schemeOf(to)}://${hostname}:${to.port}`;
}

function isWildcard(host: string): boolean {
  return host === "0.0.0.0" || host === "::" || host === "";
}
