import { describe, expect, it } from "vitest";
import {
  type LocalMode,
  type Site,
  whyForeign,
} from "../../../../backend/src/http/caller/siteGuard.ts";

const LOCAL: LocalMode = { port: 8080, names: [] };

function site(headers: Record<string, string>): Site {
  const lower = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
  return {
    url: "/",
    headers: Object.fromEntries(lower),
    rawHeaders: Object.entries(headers).flat(),
  };
}

describe("C-23, S-11 the Host in local mode", () => {
  it.each(["127.0.0.1:8080", "localhost:8080", "LocalHost:8080", "[::1]:8080"])(
    "may be %s",
    (host) => {
      expect(whyForeign(site({ Host: host }), LOCAL)).toBeUndefined();
    },
  );

  it.each([
    "",
    "127.0.0.1",
    "localhost",
    "127.0.0.1:80",
    "127.0.0.1:80800",
    "127.0.0.1:08080",
    "127.0.0.1.:8080",
    "localhost.:8080",
    "127.1:8080",
    "127.0.0.2:8080",
    "2130706433:8080",
    "0x7f.0.0.1:8080",
    "0177.0.0.1:8080",
    "0.0.0.0:8080",
    "::1:8080",
    "[::]:8080",
    "[0:0:0:0:0:0:0:1]:8080",
    "[::ffff:127.0.0.1]:8080",
    "[::1%lo]:8080",
    "evil.example:8080",
    "127.0.0.1.evil.example:8080",
    "localhost.evil.example:8080",
    "evil.example#127.0.0.1:8080",
    "user@127.0.0.1:8080",
    "127.0.0.1:8080/path",
    "127.0.0.1:8080,evil.example",
    " 127.0.0.1:8080 x",
    "localhost:8080:8080",
    "xn--localhost:8080",
    "lоcalhost:8080",
  ])("may not be %j", (host) => {
    expect(whyForeign(site({ Host: host }), LOCAL)).toMatch(/local mode/);
  });

  it("may leave out the port of plain HTTP only", () => {
    expect(whyForeign(site({ Host: "localhost" }), { port: 80, names: [] })).toBeUndefined();
  });

  const NAMED: LocalMode = { port: 8080, names: ["rport.example.com", "[2001:db8::1]"] };

  it.each(["rport.example.com", "RPORT.example.com:443", "rport.example.com:9", "[2001:DB8::1]:1"])(
    "may be %s, which somebody has set",
    (host) => {
      expect(whyForeign(site({ Host: host }), NAMED)).toBeUndefined();
    },
  );

  it.each([
    "evil.example",
    "rport.example.com.evil.example",
    "evil.rport.example.com",
    "rport.example.com.",
    "rport.example.com:443:443",
    "rport.example.com/x",
    "user@rport.example.com",
    "rport.example.com evil.example",
    "2001:db8::1",
    "127.0.0.1",
  ])("may not be %j because of the names that were set", (host) => {
    expect(whyForeign(site({ Host: host }), NAMED)).toMatch(/local mode/);
  });

  it("is not taken from what a page may write as a proxy does", () => {
    const headers = { Host: "evil.example", "X-Forwarded-Host": "rport.example.com" };
    expect(whyForeign(site(headers), NAMED)).toMatch(/local mode/);
  });

  it("that is refused is answered with what to set", () => {
    expect(whyForeign(site({ Host: "a.example" }), NAMED)).toBe(
      "This server is in local mode and answers on 127.0.0.1, localhost, [::1], rport.example.com " +
        "and [2001:db8::1] only. Behind a reverse proxy, set [server] url = " +
        '["https://<its name>"], or let the proxy send "Host: 127.0.0.1:8080".',
    );
  });

  it("may be anything when the server is not in local mode", () => {
    expect(whyForeign(site({ Host: "rport.example" }), undefined)).toBeUndefined();
  });

  it("must be there, once", () => {
    const twice = site({ Host: "localhost:8080", HOST: "localhost:8080" });
    expect(whyForeign(site({}), LOCAL)).toMatch(/one Host/);
    expect(whyForeign(twice, LOCAL)).toMatch(/one Host/);
  });
});

describe("S-12 S-13 a request that a web page made", () => {
  const host = { Host: "localhost:8080" };

  it.each([
    "null",
    "http://evil.example",
    "http://localhost:9999",
    "http://localhost",
    "http://127.0.0.1:8080",
    "vscode-webview://abc",
    "file://",
    "",
  ])("is refused when its Origin is %j", (origin) => {
    expect(whyForeign(site({ ...host, Origin: origin }), LOCAL)).toMatch(/another origin/);
  });

  it("passes when its Origin is the server's own", () => {
    expect(whyForeign(site({ ...host, Origin: "http://localhost:8080" }), LOCAL)).toBeUndefined();
  });

  it.each(["cross-site", "same-site", "what-ever"])("is refused as Sec-Fetch-Site: %s", (value) => {
    expect(whyForeign(site({ ...host, "Sec-Fetch-Site": value }), LOCAL)).toMatch(/another site/);
  });

  it.each(["same-origin", "none"])("passes as Sec-Fetch-Site: %s", (value) => {
    expect(whyForeign(site({ ...host, "Sec-Fetch-Site": value }), LOCAL)).toBeUndefined();
  });
});
