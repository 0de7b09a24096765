import { type RemoteMessage, remoteSchema } from "@rport/protocol/agent";

const PROTOCOLS = ["tcp", "udp", "tcp+udp"] as const;
/** A name or an IPv4 address: not all digits, which would be a port out of range. */
const HOST = /^(?![0-9]+$)[A-Za-z0-9._-]+$/;

/**
 * Parses RPort's tunnel text `[[local_host:]local_port:][remote_host:]remote_port[/protocol]`
 * as RPort's client reads it. Undefined when it is not one.
 */
export function parseRemoteSpec(text: string): RemoteMessage | undefined {
  const [spec = "", protocol = "tcp", surplus] = text.trim().split("/");
  const known = PROTOCOLS.find((name) => name === protocol);
  if (known === undefined || surplus !== undefined) return undefined;
  const parts = spec.split(":");
  if (parts.length > 4) return undefined;
  const places = placeParts(parts);
  const parsed = remoteSchema.safeParse({ ...places, protocol: known });
  return places === undefined ? undefined : parsed.data;
}

interface Places {
  lhost: string;
  lport: string;
  rhost: string;
  rport: string;
}

/** Walks from right to left: a number is the remote port, then the local one; a name its host. */
function placeParts(parts: readonly string[]): Places | undefined {
  const places: Places = { lhost: "", lport: "", rhost: "", rport: "" };
  for (const part of parts.toReversed()) {
    if (!placePart(places, part)) return undefined;
  }
  if (places.rport === "") return undefined;
  if (places.lport !== "") places.lhost ||= "0.0.0.0";
  places.rhost ||= "127.0.0.1";
  return places;
}

function placePart(places: Places, part: string): boolean {
  const isPort = /^[0-9]{1,5}$/.test(part) && Number(part) >= 1 && Number(part) <= 65_535;
  if (isPort && places.rport === "") places.rport = part;
  else if (isPort && places.lport === "") places.lport = part;
  else if (isPort || !HOST.test(part) || places.rport === "") return false;
  else if (places.lport !== "") return placeHost(places, "lhost", part);
  else return placeHost(places, "rhost", part);
  return true;
}

function placeHost(places: Places, key: "lhost" | "rhost", host: string): boolean {
  if (places[key] !== "") return false;
  places[key] = host;
  return true;
}
