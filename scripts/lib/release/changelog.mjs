// What is told of a version: the changelog's "Unreleased" becomes the version, and its text the notes.
import { isNewer } from "./versions.mjs";

const HEADING = /^## (?:\[([^\]\n]+)\]|(\S+))(?: - (\S+))?$/gm;
const UNRELEASED = "Unreleased";

/** The sections of a changelog, in its order. */
function sectionsOf(text) {
  const heads = [...text.matchAll(HEADING)];
  return heads.map((head, at) => {
    const [line, bracketed, bare, date] = head;
    const from = head.index + line.length;
    const body = text.slice(from, heads[at + 1]?.index).trim();
    return { name: bracketed ?? bare, date, line, at: head.index, from, body };
  });
}

/** The versions that a changelog tells of, the newest first. */
export const releasedVersions = (text) =>
  sectionsOf(text)
    .map(({ name }) => name)
    .filter((name) => name !== UNRELEASED);

/** Why a changelog cannot become that of a version, or undefined. */
export function whyNotReleased(text, version) {
  const open = sectionsOf(text).find(({ name }) => name === UNRELEASED);
  const last = releasedVersions(text)[0];
  if (releasedVersions(text).includes(version)) return `The changelog has ${version} already.`;
  if (last !== undefined && !isNewer(version, last)) return `${version} is not newer than ${last}.`;
  if (open === undefined) return `The changelog has no section "${UNRELEASED}".`;
  if (open.body === "") return `The changelog's section "${UNRELEASED}" is empty.`;
  return undefined;
}

/**
 * A changelog in which what was unreleased is a version of this day. One without that section, or with
 * an empty one, stays as it is.
 *
 * @param {string} text
 * @param {{ version: string, date: string, hasRoom?: boolean }} release the date as `2026-11-30`;
 *   `hasRoom` leaves an empty section in front of it for what comes
 */
export function withRelease(text, { version, date, hasRoom = true }) {
  const open = sectionsOf(text).find(({ name }) => name === UNRELEASED);
  if (open === undefined || open.body === "") return text;
  const heading = open.line.replace(UNRELEASED, version);
  const before = hasRoom ? `${text.slice(0, open.from)}\n\n` : text.slice(0, open.at);
  return `${before}${heading} - ${date}${text.slice(open.from)}`;
}

/** What is told of a version; throws when a changelog does not have it. */
export function releaseNotes(text, version) {
  const section = sectionsOf(text).find(({ name }) => name === version);
  if (section === undefined) throw new Error(`The changelog has no section "${version}".`);
  return `# RPort for VS Code ${version}\n\n${section.date}\n\n${section.body}\n`;
}
