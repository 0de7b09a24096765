// Whose software is in what is shipped, as the notices beside each bundle have it.
import { noticesText } from "../notices.mjs";

const rule = "-".repeat(80);
const HEAD = new RegExp(`^${rule}\\n(\\S+) (\\S+) \\(([^()\\n]+)\\)\\n\\n`, "gm");
/** What stands in front of a part that names no package: what Bun contains. */
const OTHER = new RegExp(`\\n${rule}\\nThe executables contain `);

/**
 * The packages that a file of notices lists, in its order.
 *
 * @returns {{ name: string, version: string, licence: string, text: string }[]}
 */
export function packagesIn(notices) {
  const [text] = notices.split(OTHER);
  const heads = [...text.matchAll(HEAD)];
  return heads.map((head, at) => {
    const [all, name, version, licence] = head;
    const licenceText = text.slice(head.index + all.length, heads[at + 1]?.index).trim();
    return { name, version, licence, text: licenceText };
  });
}

/** The name and version by which a package is the same one wherever it is. */
export const keyOf = ({ name, version }) => `${name}@${version}`;

/** Packages, each once, in the order of their names. */
export function distinct(packages) {
  const byKey = new Map(packages.map((one) => [keyOf(one), one]));
  return [...byKey].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, one]) => one);
}

/** What is linked into Bun, as its notices list it: `name: licence (address)`. */
export function librariesIn(bunNotices) {
  const entry = /(?:^|\. )([A-Za-z][\w .,+-]*): ([^:\n]+)\s\((https:\/\/[^)\s]+)\)/gm;
  return [...bunNotices.matchAll(entry)].map(([, name, licence, source]) => ({
    name,
    licence,
    source,
  }));
}

/**
 * The licences of everything that a release contains, in one text.
 *
 * @param {{ own: string, packages: readonly object[], bun?: string }} texts our own licence, the
 *   packages, and what there is to say of Bun where it is in an executable
 */
export function licencesText({ own, packages, bun }) {
  const parts = [own.trimEnd(), noticesText(distinct(packages)).trimEnd()];
  return `${[...parts, ...(bun === undefined ? [] : [bun.trimEnd()])].join("\n\n")}\n`;
}
