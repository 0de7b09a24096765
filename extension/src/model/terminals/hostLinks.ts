/** Links behind this are looked for by nobody; a line of a terminal is hardly ever so long. */
const LINE_MAX = 4_096;
/** An address with its scheme. */
const ADDRESS = /\b[a-z][a-z0-9+.-]{0,15}:\/\/[^\s"'<>`\\|]+/gi;
/** What stands behind an address in a sentence. */
const SENTENCE_END = /[.,;:!?)\]}]+$/;
/** An address at which a host means itself: scheme, name, port, the rest. */
const OWN_ADDRESS =
  /^(https?):\/\/(localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\])(?::(\d{1,5}))?((?:[/?#].*)?)$/i;
/** What the editor could take for a file: with a separator, or a name with a line. */
const PATH =
  /(?:[a-z]:)?[^\s"'`<>()[\]{}|:;,]*[\\/][^\s"'`<>()[\]{}|:;,]+(?::\d+){0,2}|[\w.@-]+\.\w{1,10}(?::\d+){1,2}/gi;
const PORTS = { http: 80, https: 443 } as const;
const PORT_MAX = 65_535;
/** Names that stand for all addresses of a host, and by which it is reached there. */
const REACHED_AS: Readonly<Record<string, string>> = {
  "0.0.0.0": "127.0.0.1",
  "[::]": "localhost",
  "[::1]": "::1",
};

/** Where a link stands in its line. */
interface Place {
  readonly start: number;
  readonly length: number;
}

/** A page that a host serves to itself. */
export interface PageLink extends Place {
  readonly kind: "page";
  readonly scheme: "http" | "https";
  /** As seen from the host. */
  readonly remote: { readonly host: string; readonly port: number };
  /** Path, query and fragment, as they are; may be empty. */
  readonly rest: string;
}

/** What looks like a file of a host. */
export interface FileLink extends Place {
  readonly kind: "file";
  readonly text: string;
}

/**
 * What a line of a host's terminal has of pages and files of that host. Addresses of elsewhere are none of them: the
 * editor opens those.
 */
export function hostLinks(whole: string): readonly (PageLink | FileLink)[] {
  const line = whole.slice(0, LINE_MAX);
  const addresses = [...line.matchAll(ADDRESS)].map(({ 0: text, index: start }) => ({
    text: text.replace(SENTENCE_END, ""),
    start,
  }));
  const links = addresses.flatMap(({ text, start }) => linkOf(text, start) ?? []);
  let rest = line;
  for (const { text, start } of addresses) {
    rest = rest.slice(0, start) + " ".repeat(text.length) + rest.slice(start + text.length);
  }
  const files = [...rest.matchAll(PATH)].map(({ 0: text, index: start }): FileLink => {
    const length = text.replace(SENTENCE_END, "").length;
    return { kind: "file", text: text.slice(0, length), start, length };
  });
  return [...links, ...files.filter(({ length }) => length > 1)];
}

function linkOf(text: string, start: number): PageLink | FileLink | undefined {
  const place = { start, length: text.length };
  if (/^file:/i.test(text)) return { kind: "file", text, ...place };
  const [, scheme, name = "", port, rest = ""] = OWN_ADDRESS.exec(text) ?? [];
  if (scheme === undefined) return undefined;
  const known = scheme.toLowerCase() === "https" ? "https" : "http";
  const number = port === undefined ? PORTS[known] : Number(port);
  if (number < 1 || number > PORT_MAX) return undefined;
  const host = REACHED_AS[name] ?? name.toLowerCase();
  return { kind: "page", scheme: known, remote: { host, port: number }, rest, ...place };
}
