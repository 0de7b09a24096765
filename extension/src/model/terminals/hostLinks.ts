/** The editor gives nobody a longer line. */
const LINE_MAX = 2_000;
/** An address by which the editor would open something of this computer; also within a longer word, as it looks for them. */
const LOCAL_ADDRESS = /(?:https?|file):\/\/[^\s"'<>`\\|]+/gi;
/** An address of any other scheme. */
const ADDRESS = /\b[a-z][a-z0-9+.-]{0,15}:\/\/[^\s"'<>`\\|]+/gi;
/** An address at which a host means itself: scheme, name, port, the rest. */
const OWN_ADDRESS =
  /^(https?):\/\/(localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\])(?::(\d{1,5}))?((?:[/?#].*)?)$/i;
/**
 * What the editor could take for a file: a word with a separator, or a name with a line. It is looked for where a word
 * begins alone, so that a long one is read once.
 */
const PATH =
  /(?<![^\s"'`<>()[\]{}|:;,])(?:[a-z]:)?[^\s"'`<>()[\]{}|:;,]*[\\/][^\s"'`<>()[\]{}|:;,]+(?::\d+){0,2}|(?<![\w.@-])[\w.@-]+\.\w{1,10}(?::\d+){1,2}/gi;
const PORTS = { http: 80, https: 443 } as const;
const PORT_MAX = 65_535;
/** Names that stand for all addresses of a host, and by which it is reached there. */
const REACHED_AS: Readonly<Record<string, string>> = {
  "0.0.0.0": "127.0.0.1",
  "[::]": "localhost",
  "[::1]": "::1",
};
/** What stands behind an address or a path in a sentence. */
const SENTENCE_END = ".,;:!?";
const BRACKETS: Readonly<Record<string, string>> = { ")": "(", "]": "[", "}": "{" };

/** Where a link stands in its line. */
interface Span {
  readonly start: number;
  readonly length: number;
}

/** A page that a host serves to itself. */
export interface PageLink extends Span {
  readonly kind: "page";
  readonly scheme: "http" | "https";
  /** As seen from the host. */
  readonly remote: { readonly host: string; readonly port: number };
  /** Path, query and fragment, as they are; may be empty. */
  readonly rest: string;
}

/** What looks like a file of a host. */
export interface FileLink extends Span {
  readonly kind: "file";
  readonly text: string;
}

/**
 * What a line of a host's terminal has of pages and files of that host. Addresses of elsewhere are none of them: the
 * editor opens those.
 */
export function hostLinks(whole: string): readonly (PageLink | FileLink)[] {
  const line = whole.slice(0, LINE_MAX);
  const addresses = wordsIn(line, LOCAL_ADDRESS);
  const links = addresses.flatMap(({ text, start }) => linkOf(text, start) ?? []);
  const rest = without(without(line, addresses), wordsIn(line, ADDRESS));
  const files = wordsIn(rest, PATH).filter(({ text }) => text.length > 1);
  return [...links, ...files.map(({ text, start }) => fileLink(text, start))];
}

interface Word {
  readonly text: string;
  readonly start: number;
}

function wordsIn(line: string, pattern: RegExp): readonly Word[] {
  return [...line.matchAll(pattern)].map(({ 0: text, index: start }) => ({
    text: withoutSentenceEnd(text),
    start,
  }));
}

/** The same line with spaces in the place of these words. */
function without(line: string, words: readonly Word[]): string {
  let rest = line;
  for (const { text, start } of words) {
    rest = rest.slice(0, start) + " ".repeat(text.length) + rest.slice(start + text.length);
  }
  return rest;
}

/** A bracket at the end belongs to a word that has more of them than it opens. */
function withoutSentenceEnd(text: string): string {
  let end = text.length;
  for (; end > 0; end -= 1) {
    const last = text.charAt(end - 1);
    const opening = BRACKETS[last];
    const isEnd = opening === undefined ? SENTENCE_END.includes(last) : isShut(text, end, opening);
    if (!isEnd) break;
  }
  return text.slice(0, end);
}

/** Whether the bracket before `end` shuts none that the text opens. */
function isShut(text: string, end: number, opening: string): boolean {
  const shut = text.charAt(end - 1);
  let open = 0;
  for (const each of text.slice(0, end - 1)) {
    if (each === opening) open += 1;
    else if (each === shut && open > 0) open -= 1;
  }
  return open === 0;
}

function fileLink(text: string, start: number): FileLink {
  return { kind: "file", text, start, length: text.length };
}

function linkOf(text: string, start: number): PageLink | FileLink | undefined {
  if (/^file:/i.test(text)) return fileLink(text, start);
  const [, scheme, name = "", port, rest = ""] = OWN_ADDRESS.exec(text) ?? [];
  if (scheme === undefined) return undefined;
  const known = scheme.toLowerCase() === "https" ? "https" : "http";
  const number = port === undefined ? PORTS[known] : Number(port);
  if (number < 1 || number > PORT_MAX) return undefined;
  const host = REACHED_AS[name] ?? name.toLowerCase();
  const remote = { host, port: number };
  return { kind: "page", scheme: known, remote, rest, start, length: text.length };
}
