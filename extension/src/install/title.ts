import { t } from "@vscode/l10n";

const KIND = t("Install Client");
/** No translation of what is before it has one of its own. */
const SEPARATOR = " - ";

interface Named {
  readonly name: string;
}

/** The title of an install sheet's tab; it names the server only when there are several. */
export function titleOf(server: Named, authId: string, servers: readonly Named[]): string {
  return `${KIND}${SEPARATOR}${authId}${servers.length > 1 ? suffixOf(server) : ""}`;
}

/**
 * What a tab's title says it is about, in whatever language that is: the editor may speak another one since.
 * Undefined when that server is not configured any more.
 */
export function parseTitle<S extends Named>(
  title: string,
  servers: readonly S[],
): { readonly server: S; readonly authId: string } | undefined {
  const at = title.indexOf(SEPARATOR);
  if (at < 0) return undefined;
  const rest = title.slice(at + SEPARATOR.length);
  const named = servers.find((server) => rest.endsWith(suffixOf(server)));
  if (named !== undefined) {
    return { server: named, authId: rest.slice(0, -suffixOf(named).length) };
  }
  const [only, ...others] = servers;
  return only === undefined || others.length > 0 ? undefined : { server: only, authId: rest };
}

function suffixOf({ name }: Named): string {
  return ` (${name})`;
}
