import { describe, expect, it } from "vitest";
import { reachedAt } from "../../../../backend/src/http/caller/reachedAt.ts";

const HOST = { host: "rport.example.com" };
const HTTPS = { ...HOST, "x-forwarded-proto": "https" };

describe("the address under which a request came", () => {
  it("is the Host's where no proxy is to be believed, whatever one says", () => {
    const headers = { ...HTTPS, "x-forwarded-host": "evil.example", "x-forwarded-port": "1" };
    expect(reachedAt({ headers, isSecure: false }, 0)).toBe("http://rport.example.com");
  });

  it.each([
    ["only the Host", HOST, "http://rport.example.com"],
    ["a scheme", HTTPS, "https://rport.example.com"],
    ["a WebSocket's scheme", { ...HOST, "x-forwarded-proto": "wss" }, "https://rport.example.com"],
    ["a host", { ...HTTPS, "x-forwarded-host": "a.example" }, "https://a.example"],
    [
      "a host with its port",
      { ...HTTPS, "x-forwarded-host": "a.example:8443" },
      "https://a.example:8443",
    ],
    ["a port", { ...HTTPS, "x-forwarded-port": "8443" }, "https://rport.example.com:8443"],
    ["the usual port", { ...HTTPS, "x-forwarded-port": "443" }, "https://rport.example.com"],
    [
      "the other usual port",
      { ...HTTPS, "x-forwarded-port": "80" },
      "https://rport.example.com:80",
    ],
    [
      "an IPv6 address",
      { ...HTTPS, "x-forwarded-host": "[2001:db8::1]:8443" },
      "https://[2001:db8::1]:8443",
    ],
    ["a path", { ...HTTPS, "x-forwarded-prefix": "/rport/" }, "https://rport.example.com/rport"],
  ])("is what a proxy says: %s", (_what, headers, url) => {
    expect(reachedAt({ headers, isSecure: false }, 1)).toBe(url);
  });

  it.each([
    [1, "https"],
    [2, "http"],
    [3, "http"],
  ])("is what the outermost of %i proxies appended", (proxies, scheme) => {
    const headers = { ...HOST, "x-forwarded-proto": "http, https" };
    expect(reachedAt({ headers, isSecure: false }, proxies)).toBe(`${scheme}://rport.example.com`);
  });

  it.each([
    ["x-forwarded-proto", "javascript"],
    ["x-forwarded-host", "a.example/path"],
    ["x-forwarded-host", "user@a.example"],
    ["x-forwarded-host", "a.example'; id"],
    ["x-forwarded-host", "a.example:http"],
    ["x-forwarded-port", "0"],
    ["x-forwarded-port", "8443;"],
    ["x-forwarded-prefix", "//evil.example"],
    ["x-forwarded-prefix", "/a'b"],
    ["x-forwarded-prefix", "rport"],
  ])("is the Host's, as a whole, where %s is %j", (name, value) => {
    expect(reachedAt({ headers: { ...HTTPS, [name]: value }, isSecure: false }, 1)).toBe(
      "http://rport.example.com",
    );
  });
});
