/**
 * The path of a read-only document. Its last part is the title of the tab, so no more is escaped
 * than a path needs.
 */
export function documentPath(parts: readonly string[]): string {
  return parts.map((part) => `/${part.replaceAll(/[%/\\]/g, encodeURIComponent)}`).join("");
}

/** The parts of such a path. */
export function partsOf(path: string): readonly string[] {
  return path.split("/").slice(1).map(decodeURIComponent);
}
