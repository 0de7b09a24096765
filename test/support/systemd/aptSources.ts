import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

const APT = "/etc/apt";

/** One line of an old-style list: type, options in brackets, address, suite. */
const LIST_LINE = /^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)/gm;

/** The package mirror from which the machine itself takes `suite`. Rejects when there is none. */
export async function findMirror(suite: string): Promise<string> {
  for (const file of await listSources()) {
    const mirror = parseMirror(await readFile(file, "utf8"), suite);
    if (mirror !== undefined) return mirror;
  }
  throw new Error(`the machine's apt sources name no mirror for ${suite}`);
}

/** The first address that one apt source file, of either format, gives for `suite`. */
export function parseMirror(text: string, suite: string): string | undefined {
  return parseList(text, suite) ?? parseStanzas(text, suite);
}

function parseList(text: string, suite: string): string | undefined {
  for (const [, address, name] of text.matchAll(LIST_LINE)) if (name === suite) return address;
  return undefined;
}

function parseStanzas(text: string, suite: string): string | undefined {
  const stanzas = text.replaceAll(/^#.*\n/gm, "").split(/\n\s*\n/);
  const stanza = stanzas.find((candidate) => field(candidate, "Suites").includes(suite));
  return stanza === undefined ? undefined : field(stanza, "URIs")[0];
}

function field(stanza: string, name: string): string[] {
  const value = new RegExp(`^${name}:(.*)$`, "m").exec(stanza)?.[1] ?? "";
  return value.split(/\s+/).filter((word) => word !== "");
}

async function listSources(): Promise<string[]> {
  const parts = join(APT, "sources.list.d");
  const names = existsSync(parts) ? (await readdir(parts)).sort() : [];
  const candidates = [join(APT, "sources.list"), ...names.map((name) => join(parts, name))];
  return candidates.filter((file) => /\.(list|sources)$/.test(file) && existsSync(file));
}
