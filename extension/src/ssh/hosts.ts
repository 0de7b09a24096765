import { createHash } from "node:crypto";
import type { Client } from "@rport/protocol/model";

/** What names end in that are ours. */
export const SUFFIX = ".rport";

/** A host as it is named for `ssh`. */
export interface Host {
  readonly serverKey: string;
  /** What people call its server. */
  readonly serverName: string;
  readonly id: string;
  readonly name: string;
  readonly hostname: string;
}

/** Names of hosts, all of them texts that every shell and every file takes for themselves. */
export interface Named {
  readonly host: Host;
  /** What it is known by forever, and nobody else: of its id and its server's address. */
  readonly handle: string;
  /** What leads to it and to nobody else, its handle last. */
  readonly aliases: readonly string[];
}

/** What hosts are called. */
export interface Names {
  readonly named: readonly Named[];
  /** Names that several have. */
  readonly ambiguous: ReadonlyMap<string, readonly Named[]>;
}

/** Letters, digits, and what may stand between them. */
const SAFE = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;
/** An id that is part of a handle as it is: `ssh` takes capitals for small letters, and a dot is between parts. */
const PART = /^[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?$/;
const MARK_CHARACTERS = 8;
const ID_CHARACTERS = 20;

/** A client of a server as it is named for `ssh`. */
export function hostOf(server: { readonly key: string; readonly name: string }, client: Client) {
  const { id, name, hostname } = client;
  return { serverKey: server.key, serverName: server.name, id, name, hostname };
}

/**
 * What `ssh` knows a host's key by, and this program the host: no two ids have the same. One that is not safe as it
 * is is not in it, but what only it comes to, with one part more, so that no other id can be that.
 */
export function handleOf({ serverKey, id }: Pick<Host, "serverKey" | "id">): string {
  const own = PART.test(id) ? id : `${digest(id).slice(0, ID_CHARACTERS)}.id`;
  return `${own}.${markOf(serverKey)}${SUFFIX}`;
}

/** Names all hosts: what two of them would have, none has. */
export function nameHosts(hosts: readonly Host[]): Names {
  const labels = serverLabels(hosts);
  const handled = hosts.map((host) => ({ host, handle: handleOf(host) }));
  const handles = new Set(handled.map(({ handle }) => handle.toLowerCase()));
  const wanted = handled.map((each) => ({
    ...each,
    wanted: wantedBy(each.host, labels).filter((alias) => !handles.has(alias.toLowerCase())),
  }));
  const owners = new Map<string, Set<Host>>();
  for (const { host, wanted: names } of wanted) {
    for (const name of names) {
      const key = name.toLowerCase();
      owners.set(key, (owners.get(key) ?? new Set()).add(host));
    }
  }
  const isOwn = (alias: string) => owners.get(alias.toLowerCase())?.size === 1;
  const named = wanted.map(({ host, handle, wanted: names }) => ({
    host,
    handle,
    aliases: [...new Set([...names.filter(isOwn), handle].flatMap(spellings))],
  }));
  const byHost = new Map(named.map((each) => [each.host, each]));
  const shared = [...owners].filter(([, all]) => all.size > 1);
  const ambiguous = shared.map(
    ([alias, all]) => [alias, [...all].flatMap((host) => byHost.get(host) ?? [])] as const,
  );
  return { named, ambiguous: new Map(ambiguous) };
}

function wantedBy(host: Host, labels: ReadonlyMap<string, string>): string[] {
  const names = [host.name, host.hostname, host.id].filter((name) => SAFE.test(name));
  const label = labels.get(host.serverKey);
  return [...new Set(names)].flatMap((name) => [
    `${name}${SUFFIX}`,
    ...(label === undefined ? [] : [`${name}.${label}${SUFFIX}`]),
  ]);
}

/** `ssh` compares a pattern with what somebody typed, letter by letter. */
function spellings(alias: string): string[] {
  return [alias, alias.toLowerCase()];
}

/** By server's key, what it is called within a name; two with one name have none. */
function serverLabels(hosts: readonly Host[]): ReadonlyMap<string, string> {
  const servers = new Map(hosts.map(({ serverKey, serverName }) => [serverKey, slug(serverName)]));
  const counts = Map.groupBy(servers.values(), (label) => label);
  return new Map(
    [...servers].filter(([, label]) => SAFE.test(label) && counts.get(label)?.length === 1),
  );
}

function slug(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "");
}

function markOf(serverKey: string): string {
  return digest(serverKey).slice(0, MARK_CHARACTERS);
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
