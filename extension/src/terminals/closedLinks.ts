/** What the scheme of an address is made of (RFC 3986, section 3.1). */
const OF_SCHEME = /^[A-Za-z0-9+.-]$/;
/**
 * Schemes that mean the computer of the editor, or the editor itself; and what is none, such as nothing, which the
 * editor takes for `file`.
 */
const CLOSED = /^(?:file$|command$|vscode|(?![a-z]))/i;

/** Whether an address may have this character in its scheme. */
export function isOfScheme(char: string): boolean {
  return OF_SCHEME.test(char);
}

/**
 * Whether no program of a host may lead anybody to an address of this scheme: the editor opens a link that is marked
 * as such (OSC 8) before it asks whose it is, and there is nothing of the host at such an address.
 */
export function isClosedLink(scheme: string): boolean {
  return CLOSED.test(scheme);
}
