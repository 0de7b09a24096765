import { afterEach, describe, expect, it, vi } from "vitest";
import { proxyFor, proxySecrets } from "../../../../agent/src/connection/proxy.ts";

const NAMES = ["http_proxy", "https_proxy", "all_proxy", "no_proxy"];

/** The environment of an agent: only these variables. */
function environment(variables: Readonly<Record<string, string>>): void {
  for (const name of NAMES.flatMap((one) => [one, one.toUpperCase()])) vi.stubEnv(name, "");
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
}

const proxyOf = (server: string, configured = "") =>
  proxyFor(new URL(server), configured)?.url.href.replace(/\/$/, "");

afterEach(() => void vi.unstubAllEnvs());

describe("the proxy on the way to a server", () => {
  it("is the configured one, whatever the environment says", () => {
    environment({ HTTPS_PROXY: "http://other:1", NO_PROXY: "*" });
    expect(proxyOf("wss://example.org/", "socks5h://p:1080")).toBe("socks5h://p:1080");
    expect(proxyOf("ws://127.0.0.1:1/", "http://p")).toBe("http://p");
  });

  it("is the one the environment names for TLS, or for its absence, or for all", () => {
    environment({ HTTPS_PROXY: "http://tls:1", http_proxy: "https://plain:2" });
    expect(proxyOf("wss://example.org/")).toBe("http://tls:1");
    expect(proxyOf("https://example.org/")).toBe("http://tls:1");
    expect(proxyOf("ws://example.org/")).toBe("https://plain:2");
    environment({ ALL_PROXY: "socks5://u:p@all:3" });
    expect(proxyOf("wss://example.org/")).toBe("socks5://u:p@all:3");
    environment({});
    expect(proxyOf("wss://example.org/")).toBeUndefined();
  });

  it("is an http one when only a host and a port are named", () => {
    environment({ HTTPS_PROXY: "proxy.example.org:3128" });
    expect(proxyOf("wss://example.org/")).toBe("http://proxy.example.org:3128");
    environment({ HTTPS_PROXY: "https://proxy.example.org:3128" });
    expect(proxyOf("wss://example.org/")).toBe("https://proxy.example.org:3128");
  });

  it("is not used for what NO_PROXY lists", () => {
    environment({
      HTTPS_PROXY: "http://p:1",
      NO_PROXY: "example.org,.inside.test,*.star.test,x:8443",
    });
    const direct = ["example.org", "a.inside.test", "a.star.test", "x:8443"];
    const through = ["sub.example.org", "inside.test.org", "x:443"];
    for (const host of direct) expect(proxyOf(`wss://${host}/`)).toBeUndefined();
    for (const host of through) expect(proxyOf(`wss://${host}/`)).toBe("http://p:1");
  });

  it("is not used for this machine, unless it is configured", () => {
    environment({ HTTP_PROXY: "http://p:1", ALL_PROXY: "http://p:1" });
    for (const host of ["localhost", "a.localhost", "127.0.0.9", "[::1]", "[::ffff:127.0.0.1]"]) {
      expect(proxyOf(`ws://${host}:8080/`)).toBeUndefined();
    }
    expect(proxyOf("ws://localhost.example.org/")).toBe("http://p:1");
  });

  it("is refused without its password when it is none", () => {
    environment({ HTTPS_PROXY: "ftp://u:top-secret@p" });
    const looking = () => proxyOf("wss://example.org/");
    expect(looking).toThrow(/^HTTPS_PROXY: the proxy it names must begin with http/);
    expect(looking).not.toThrow("top-secret");
  });

  it("has passwords that logs must not show", () => {
    const variables = {
      HTTPS_PROXY: "http://u:p%40w@p",
      all_proxy: "nonsense",
      PATH: "http://u:x@p",
    };
    expect(proxySecrets(variables)).toEqual(["p@w", "p%40w"]);
  });
});
