import { closest } from "@rport/protocol/closest";
import { RportError } from "@rport/protocol/errors";
import { t } from "@vscode/l10n";
import { plainText } from "../support/text.ts";
import { type Host, isLikeHandle, type Named, nameHosts, SUFFIX } from "./hosts.ts";

/** More candidates than these are not named. */
const SHOWN_MAX = 5;

/** Hosts that somebody may mean. */
export interface Findable {
  /** Those that `ssh` can be told of. */
  readonly all: readonly Host[];
  /** The same with those that are too many for `ssh`. */
  readonly everyone: readonly Host[];
}

/**
 * The host that somebody means: by its handle, one of its aliases (with what they end in or without), its id, its
 * name or its host name. What is like a handle is the host's whose handle it is, and of no other that calls itself
 * so. Those that are too many for `ssh` are looked for where none of the others is meant. Throws `NOT_FOUND` when
 * there is none, and `BAD_REQUEST` with the candidates when several are meant.
 */
export function findHost(asked: string, { all, everyone }: Findable): Named {
  const told = calledSo(asked, all);
  const found = told.length > 0 || everyone === all ? told : calledSo(asked, everyone);
  const [first] = found;
  if (first === undefined) throw new RportError("NOT_FOUND", noneOf(asked, nameHosts(all).named));
  if (found.length > 1) throw new RportError("BAD_REQUEST", severalOf(asked, found));
  return first;
}

function calledSo(asked: string, hosts: readonly Host[]): readonly Named[] {
  const { named, isOfAnother } = nameHosts(hosts);
  const bare = withoutSuffix(asked.toLowerCase());
  const isHandle = ({ handle }: Named) => handle === `${bare}${SUFFIX}`;
  const isAlias = ({ aliases }: Named) => aliases.includes(`${bare}${SUFFIX}`);
  const isCalled = ({ host: { id, name, hostname, serverKey } }: Named) =>
    !isOfAnother(bare, serverKey) &&
    [id, name, hostname].some((text) => text === asked || text.toLowerCase() === bare);
  const isMeant = isLikeHandle(bare) ? isHandle : (each: Named) => isAlias(each) || isCalled(each);
  return named.filter(isMeant);
}

function withoutSuffix(name: string): string {
  return name.endsWith(SUFFIX) ? name.slice(0, -SUFFIX.length) : name;
}

function noneOf(asked: string, named: readonly Named[]): string {
  const plain = named.flatMap(({ aliases }) => aliases.slice(0, 1).map(withoutSuffix));
  const near = closest(withoutSuffix(asked), plain);
  const sentence = t("No host is called {0}.", plainText(asked));
  return near === undefined ? sentence : `${sentence} ${t("Is {0} meant?", near + SUFFIX)}`;
}

function severalOf(asked: string, found: readonly Named[]): string {
  const shown = found
    .slice(0, SHOWN_MAX)
    .map(({ host, handle, aliases }) => `${aliases[0] ?? handle} (${plainText(host.serverName)})`);
  const rest = found.length > SHOWN_MAX ? ` +${found.length - SHOWN_MAX}` : "";
  return t("Several hosts are called {0}: {1}.", plainText(asked), shown.join(", ") + rest);
}
