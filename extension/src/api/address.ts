/**
 * The address of a path of a server, which may itself lie below a path: `base` has no slash at its
 * end, and `path` begins with one. Throws when the path leads out of the server.
 */
export function addressBelow(base: string, path: string): URL {
  const address = new URL(base + path);
  const { origin, pathname } = new URL(base);
  const root = pathname.endsWith("/") ? pathname : `${pathname}/`;
  if (address.origin === origin && address.pathname.startsWith(root)) return address;
  throw new Error("the path leads to another server");
}
