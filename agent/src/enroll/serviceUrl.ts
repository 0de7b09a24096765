/** The address of what a pairing service has under a path; the service may be below a path itself. */
export function serviceUrl(service: URL, path: string): URL {
  const { pathname } = service;
  const folder = pathname.endsWith("/") ? pathname : `${pathname}/`;
  return new URL(`${folder}${path}`, service);
}
