import { t } from "@vscode/l10n";
import { baseUrlOf } from "../servers/config.ts";
import { plainText } from "../support/text.ts";

/** What of a configured server tells whether a link means it. */
export interface Named {
  readonly name: string;
  /** Empty for a local backend that has not been found yet. */
  readonly address: string;
  /** Empty while none is known. */
  readonly fingerprint: string;
}

/** How a link says which server it means. */
export interface Meant {
  /** An address, where it has `://` in it, else a name. */
  readonly server?: string | undefined;
  readonly fingerprint?: string | undefined;
}

/**
 * The configured server that a link means, or why there is none. A fingerprint says it alone: an
 * address may lead elsewhere by now, and anybody may be called anything.
 */
export function whichServer<S extends Named>(
  { server, fingerprint }: Meant,
  servers: readonly S[],
): { readonly server: S } | { readonly why: string } {
  const named = server === undefined ? [] : servers.filter((each) => isCalled(each, server));
  if (fingerprint !== undefined) {
    const same = servers.filter((each) => each.fingerprint === fingerprint);
    const found = same.find((each) => named.includes(each)) ?? same[0];
    if (found !== undefined) return { server: found };
  }
  const [first, ...others] = named;
  if (first === undefined) return { why: whyNone(server ?? fingerprint ?? "") };
  if (others.length > 0)
    return { why: t("Several servers are called {0}.", plainText(first.name)) };
  const why = whyOtherKey(first, fingerprint);
  return why === undefined ? { server: first } : { why };
}

/** Why a server is not the one with this key; undefined when it may be. */
export function whyOtherKey(
  { name, fingerprint }: Named,
  wanted: string | undefined,
): string | undefined {
  if (wanted === undefined || fingerprint === "" || fingerprint === wanted) return undefined;
  return t("{0} has another key than the link says ({1}).", plainText(name), wanted);
}

function isCalled({ name, address }: Named, server: string): boolean {
  return server.includes("://") ? address === baseUrlOf(server) : name === server;
}

function whyNone(wanted: string): string {
  return t(
    "No server here is {0}. Add it first, if you know who sent the link and trust them.",
    plainText(wanted),
  );
}
