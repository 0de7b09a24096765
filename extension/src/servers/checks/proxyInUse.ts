import type { Environment } from "../../support/environment.ts";

/** What the editor and its surroundings say of proxies. */
export interface ProxySettings {
  /** The editor's own setting; empty: none. */
  readonly setting: string;
  /** Hosts that the editor's own setting leaves out. */
  readonly exceptions: readonly string[];
  readonly environment: Pick<Environment, "variable">;
}

/**
 * The proxy that the editor's requests to an address go through, as `host:port`, since it may have a
 * password; undefined: they go straight there. The editor's setting comes before the environment.
 */
export function proxyInUse(url: string, settings: ProxySettings): string | undefined {
  const { setting, exceptions, environment } = settings;
  const { protocol, hostname } = new URL(url);
  const named = (name: string) =>
    environment.variable(name) ?? environment.variable(name.toUpperCase());
  const proxy = setting || named(protocol === "https:" ? "https_proxy" : "http_proxy");
  const left = setting ? exceptions : (named("no_proxy") ?? "").split(",");
  if (proxy === undefined || left.some((pattern) => isLeftOut(hostname, pattern.trim())))
    return undefined;
  return URL.canParse(proxy) ? new URL(proxy).host : undefined;
}

/** As the environment's `no_proxy` means it: a host, a domain and what is below, or everything. */
function isLeftOut(hostname: string, pattern: string): boolean {
  if (pattern === "*") return true;
  const domain = pattern.replace(/^\*?\./, "").toLowerCase();
  return domain !== "" && (hostname === domain || hostname.endsWith(`.${domain}`));
}
