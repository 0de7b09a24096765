import { RportError } from "@rport/protocol/errors";
import { displayName } from "../model/arrange.ts";
import type { ClientTarget, CredentialTarget } from "../servers/entities.ts";
import type { Fleet } from "../servers/fleet.ts";
import type { Server } from "../servers/server.ts";
import { inertLine } from "../support/text.ts";

/** What is said of several that could be meant, at the most. */
const NAMED_MAX = 10;

/** Where things are looked for: the whole fleet, or one server by its name. */
interface Where {
  readonly server?: string | undefined;
}

/** The servers that are meant; throws `NOT_FOUND` when there is none of that name. */
export function serversMeant({ servers }: Pick<Fleet, "servers">, { server }: Where) {
  const meant = servers.filter(({ name }) => server === undefined || isCalled(name, server));
  if (meant.length === 0) throw notFound("server", server ?? "", servers.map(nameOf));
  return meant;
}

/** Before what can be nothing but an id: a host may call itself by the id of another. */
const ID_MARK = "id:";

/**
 * The one client with this id or name, or with the id behind `id:`. Hosts choose their ids as they do their names, so
 * an id is no better than a name. Throws `NOT_FOUND`, or `BAD_REQUEST` when there are several.
 */
export function clientMeant(
  fleet: Pick<Fleet, "servers">,
  { client: wanted, ...where }: Where & { readonly client: string },
): ClientTarget {
  const all = serversMeant(fleet, where).flatMap((server) =>
    [...server.mirror.maps.clients.values()].map((client) => ({ server, client })),
  );
  const found = all.filter((one) => isMeant(one, wanted));
  const describe = ({ server, client }: ClientTarget) => {
    return `${ID_MARK}${inertLine(client.id)} on ${server.name}`;
  };
  return theOne({ noun: "client", wanted, describe }, found);
}

/** The one credential with this auth id. Throws as `clientMeant` does. */
export function credentialMeant(
  fleet: Pick<Fleet, "servers">,
  { credential: wanted, ...where }: Where & { readonly credential: string },
): CredentialTarget {
  const found = serversMeant(fleet, where).flatMap((server) => {
    const credential = [...server.mirror.maps.credentials.values()].find(({ id }) => id === wanted);
    return credential === undefined ? [] : [{ server, credential }];
  });
  const describe = ({ server }: CredentialTarget) => `${wanted} on ${server.name}`;
  return theOne({ noun: "credential", wanted, describe }, found);
}

function isMeant({ client }: ClientTarget, wanted: string): boolean {
  if (wanted.startsWith(ID_MARK)) return client.id === wanted.slice(ID_MARK.length);
  if (client.id === wanted) return true;
  return isCalled(displayName(client), wanted) || isCalled(client.hostname, wanted);
}

function isCalled(name: string, wanted: string): boolean {
  return name.toLowerCase() === wanted.toLowerCase();
}

const nameOf = ({ name }: Server) => name;

interface Asked<T> {
  readonly noun: string;
  readonly wanted: string;
  readonly describe: (one: T) => string;
}

function theOne<T>({ noun, wanted, describe }: Asked<T>, found: readonly T[]): T {
  const [first, second] = found;
  if (first === undefined) throw notFound(noun, wanted, []);
  if (second === undefined) return first;
  const named = found.slice(0, NAMED_MAX).map(describe).join(", ");
  throw new RportError(
    "BAD_REQUEST",
    `There are ${found.length} of that name: ${named}. Say which.`,
  );
}

function notFound(noun: string, wanted: string, known: readonly string[]): RportError {
  const others = known.length === 0 ? "" : ` There are: ${known.slice(0, NAMED_MAX).join(", ")}.`;
  return new RportError("NOT_FOUND", `There is no ${noun} ${JSON.stringify(wanted)}.${others}`);
}
