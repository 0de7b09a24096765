import type { Client } from "@rport/protocol/model";
import { statusOf } from "../arrange.ts";
import { folded } from "../folded.ts";
import type { Filter, FilterKey, FilterTerm } from "./filter.ts";

/** Before and after each of the texts that are compared, none of which is longer than a line. */
const EDGE = "\n";

/** What a client can be found by, without the name of its server, which is the same for many. */
type OwnKey = Exclude<FilterKey, "server">;

/** Where a term looks: under a key, or under `FREE`, at all that somebody may type without one. */
type Place = OwnKey | "all";

const VALUES: { readonly [K in OwnKey]: (client: Client) => readonly string[] } = {
  name: ({ name, hostname }) => [name, hostname],
  id: ({ id }) => [id],
  address: ({ address, ipv4, ipv6 }) => [address, ...ipv4, ...ipv6],
  tag: ({ tags }) => tags,
  os: (client) => [
    client.os_full_name,
    client.os,
    client.os_kernel,
    client.os_family,
    client.os_version,
  ],
  status: statusesOf,
  auth: ({ client_auth_id: authId }) => [authId],
};

/** A state is asked for by its key alone, lest a name looks like one. */
const FREE: readonly OwnKey[] = ["name", "id", "address", "tag", "os", "auth"];

function statusesOf(client: Client): readonly string[] {
  const status: string[] = [statusOf(client)];
  if (client.revoked_at !== null) status.push("revoked");
  if (client.duplicate !== null) status.push("duplicate");
  return status;
}

/** The texts of one client under one place, folded and between two edges. */
function textOf(client: Client, place: Place): string {
  const keys = place === "all" ? FREE : [place];
  let text = EDGE;
  for (const key of keys) for (const value of VALUES[key](client)) text += value + EDGE;
  return folded(text);
}

interface Needle {
  readonly place: Place | "server";
  readonly text: string;
}

/** A state is found by its beginning: "line" is in "online" and in "offline". */
function needleOf({ key, text, isWhole }: FilterTerm): Needle {
  const place: Needle["place"] = key ?? "all";
  if (isWhole) return { place, text: `${EDGE}${text}${EDGE}` };
  return { place, text: key === "status" ? `${EDGE}${text}` : text };
}

/** Tells which clients of one server fit a filter. What it has looked at is looked at once. */
export class Matcher {
  /** By place and client. */
  readonly #texts = new Map<Place, Map<string, string>>();
  #server = EDGE;
  #needles: readonly Needle[] = [];

  /** From now on it is this filter. */
  set(filter: Filter, serverName: string): void {
    this.#server = folded(`${EDGE}${serverName}${EDGE}`);
    this.#needles = filter.terms.map(needleOf);
  }

  /** A client has changed, or gone. */
  forget(clientId: string): void {
    for (const texts of this.#texts.values()) texts.delete(clientId);
  }

  /** All clients may be others. */
  clear(): void {
    this.#texts.clear();
  }

  /** Looks at a client as the first letter of a filter does, which is then as quick as the others. */
  prepare(client: Client): void {
    this.#find(client, "all");
    this.#find(client, "tag");
  }

  /** Whether a client fits. */
  fits(client: Client): boolean {
    for (const needle of this.#needles) if (!this.#has(client, needle)) return false;
    return true;
  }

  #has(client: Client, { place, text }: Needle): boolean {
    if (place === "server") return this.#server.includes(text);
    if (this.#find(client, place).includes(text)) return true;
    return place === "all" && this.#server.includes(text);
  }

  #find(client: Client, place: Place): string {
    let texts = this.#texts.get(place);
    if (texts === undefined) {
      texts = new Map();
      this.#texts.set(place, texts);
    }
    const known = texts.get(client.id);
    if (known !== undefined) return known;
    const text = textOf(client, place);
    texts.set(client.id, text);
    return text;
  }
}
