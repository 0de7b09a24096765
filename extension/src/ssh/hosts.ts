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
  /** What leads to it and to nobody else, its handle last; nothing when another host has its handle. */
  readonly aliases: readonly string[];
}

/** What hosts are called. */
export interface Names {
  readonly named: readonly Named[];
  /** Names that several have, each as some of them write it, in small letters first. */
  readonly ambiguous: readonly (readonly string[])[];
  /** Whether a text, without what all names end in, says that it is of another server than this one. */
  readonly isOfAnother: (bare: string, serverKey: string) => boolean;
}

/** Letters, digits, and what may stand between them. */
const SAFE = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;
/** An id that is part of a handle as it is: `ssh` takes capitals for small letters, and a dot is between parts. */
const PART = /^[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?$/;
/**
 * Whoever runs a server chooses its address, and can try as many as fit into one: nobody finds one in all of time
 * that has the mark of another server.
 */
const MARK_CHARACTERS = 24;
/**
 * What a handle ends in, of whichever length, without what all names end in. No text that a host or a person chooses
 * may be like that: else it would be taken for a host that has gone, or that has not been seen yet.
 */
const HANDLE_LIKE = /\.[0-9a-f]{8,}$/i;
const ID_CHARACTERS = 20;
/**
 * Ways to write one name that `ssh` is told of: its time grows with the square of the words behind one `Host`, and each
 * host can have a way of its own.
 */
const SPELLINGS_MAX = 4;

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

/** Whether this, without what all names end in, can be a handle and nothing else. */
export function isLikeHandle(bare: string): boolean {
  return HANDLE_LIKE.test(bare);
}

/** Names all hosts: what two of them would have, none has. The same list is named once, and may not change. */
export function nameHosts(hosts: readonly Host[]): Names {
  const known = cache.get(hosts);
  if (known !== undefined) return known;
  const names = nameAll(hosts);
  cache.set(hosts, names);
  return names;
}

/** Names of many thousand hosts take a while, and each connection asks for them. */
const cache = new WeakMap<readonly Host[], Names>();

function nameAll(hosts: readonly Host[]): Names {
  const slugs = new Map(hosts.map(({ serverKey, serverName }) => [serverKey, slug(serverName)]));
  const labels = serverLabels(slugs);
  const isOfAnother = (bare: string, serverKey: string) => {
    const last = bare.slice(bare.lastIndexOf(".") + 1).toLowerCase();
    return last.length < bare.length && last !== slugs.get(serverKey) && slugNames.has(last);
  };
  const slugNames = new Set(slugs.values());
  const wanted = hosts.map((host) => {
    const handle = handleOf(host);
    const names = wantedBy(host, labels.get(host.serverKey)).filter(
      (bare) => !isLikeHandle(bare) && !isOfAnother(bare, host.serverKey),
    );
    return { host, handle, names: [...names.map((bare) => bare + SUFFIX), handle] };
  });
  const owners = ownersOf(wanted);
  const isOwn = (name: string) => owners.get(name.toLowerCase())?.isShared === false;
  const named = wanted.map(({ host, handle, names }) => ({
    host,
    handle,
    aliases: isOwn(handle) ? [...new Set(names.filter(isOwn).flatMap(spellings))] : [],
  }));
  const shared = [...owners].filter(([, { isShared }]) => isShared);
  const ambiguous = shared.map(([name, { written }]) => [...new Set([name, ...written])]);
  return { named, ambiguous, isOfAnother };
}

/** Who wants a name, and how some of them write it. */
interface Owners {
  readonly first: Host;
  isShared: boolean;
  readonly written: string[];
}

/** By name in small letters. */
function ownersOf(wanted: readonly { readonly host: Host; readonly names: readonly string[] }[]) {
  const owners = new Map<string, Owners>();
  for (const { host, names } of wanted) {
    for (const name of names) {
      const key = name.toLowerCase();
      const found = owners.get(key);
      if (found === undefined) owners.set(key, { first: host, isShared: false, written: [name] });
      else {
        found.isShared ||= found.first !== host;
        if (found.written.length < SPELLINGS_MAX - 1) found.written.push(name);
      }
    }
  }
  return owners;
}

function wantedBy(host: Host, label: string | undefined): string[] {
  const names = [host.name, host.hostname, host.id].filter((name) => SAFE.test(name));
  return [...new Set(names)].flatMap((name) =>
    label === undefined ? [name] : [name, `${name}.${label}`],
  );
}

/** `ssh` compares a pattern with what somebody typed, letter by letter. */
function spellings(alias: string): string[] {
  return [alias, alias.toLowerCase()];
}

/** By server's key, what it is called within a name; two with one name have none. */
function serverLabels(slugs: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const counts = Map.groupBy(slugs.values(), (label) => label);
  return new Map(
    [...slugs].filter(([, label]) => SAFE.test(label) && counts.get(label)?.length === 1),
  );
}

function slug(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "");
}

/** Those of the servers that somebody has; each is asked for with each of its hosts. */
const marks = new Map<string, string>();
const MARKS_MAX = 1_000;

function markOf(serverKey: string): string {
  const known = marks.get(serverKey);
  if (known !== undefined) return known;
  const mark = digest(serverKey).slice(0, MARK_CHARACTERS);
  if (marks.size >= MARKS_MAX) marks.clear();
  marks.set(serverKey, mark);
  return mark;
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
