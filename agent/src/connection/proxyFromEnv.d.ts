/** The library carries no types. */
declare module "proxy-from-env" {
  /** The proxy for an address by the environment's variables; empty: none. */
  export function getProxyForUrl(url: string): string;
}
