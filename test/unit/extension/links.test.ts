import { describe, expect, it } from "vitest";
import { linkFacts, parseLink } from "../../../extension/src/links/link.ts";
import {
  clientLink,
  type LinkedServer,
  tunnelLink,
} from "../../../extension/src/links/linkText.ts";
import { type Named, whichServer } from "../../../extension/src/links/whichServer.ts";
import { EXTENSION_ID } from "../../../extension/src/manifest.ts";

const KEY = `SHA256:${"a+/Z".repeat(10)}abc`;
const OTHER_KEY = `SHA256:${"b".repeat(43)}`;
const SECRET = "xyzzy-0123456789-plugh";

const relay: LinkedServer = {
  name: "relay",
  isLocal: false,
  address: "https://relay.example.com:8443/a b",
  fingerprint: KEY,
};

/** A link as the editor hands it over, which takes percent signs away once. */
function handed(text: string) {
  const [, path = "", query = ""] = /^code:\/\/[^/]+([^?]*)\?(.*)$/.exec(text) ?? [];
  return { path, query: decodeURIComponent(query), fragment: "" };
}

const parse = (path: string, query: string, fragment = "") => parseLink({ path, query, fragment });

function whyNot(path: string, query: string, fragment = ""): string {
  const parsed = parse(path, query, fragment);
  return "why" in parsed ? parsed.why : "it is one";
}

describe("a link", () => {
  it("says where it leads", () => {
    const server = "https://relay.example.com";
    const key = `fingerprint=${KEY}`;
    expect(parse("/client", `server=${server}/&id=machine-1`)).toEqual({
      link: { route: "/client", server, id: "machine-1" },
    });
    expect(parse("/install", `server=My relay&credential=fleet`)).toEqual({
      link: { route: "/install", server: "My relay", credential: "fleet" },
    });
    expect(parse("/tunnel", `${key}&client=machine-1&remote=[::1]:5432&local=15432`)).toEqual({
      link: {
        route: "/tunnel",
        fingerprint: KEY,
        client: "machine-1",
        remote: { host: "::1", port: 5_432 },
        local: 15_432,
      },
    });
    expect(parse("/add-server", `server=relay.example.com&${key}&name=Relay`)).toEqual({
      link: { route: "/add-server", server, fingerprint: KEY, name: "Relay" },
    });
  });

  it.each(["machine-1", "50% & more = #1 + ü ⚙ %26 %2526", "a?b/c:d@e,f;g'h\"i<j>k[l]"])(
    "that is copied leads to the same client and the same place: %s",
    (id) => {
      const text = clientLink("code", relay, id);
      expect(text).toMatch(/^code:\/\/rport\.rport\/client\?[\w\-.~:/@,=&%]+$/);
      expect(text.startsWith(`code://${EXTENSION_ID}/client?`)).toBe(true);
      const { name: _, address, fingerprint } = relay;
      const url = new URL(address).href;
      expect(parseLink(handed(text))).toEqual({
        link: { route: "/client", server: url, fingerprint, id },
      });
      const remote = { host: "fe80::1", port: 22 };
      const server = { ...relay, isLocal: true };
      expect(parseLink(handed(tunnelLink("code", server, { clientId: id, remote })))).toEqual({
        link: { route: "/tunnel", fingerprint, client: id, remote },
      });
      const unknown = { ...server, fingerprint: "", name: "Local Backend" };
      expect(parseLink(handed(clientLink("code", unknown, id)))).toEqual({
        link: { route: "/client", server: "Local Backend", id },
      });
    },
  );

  it.each([
    [
      "/clients",
      "id=a",
      "/clients leads nowhere. Links lead to /client, /install, /tunnel, /add-server.",
    ],
    ["", "", '"" leads nowhere.'],
    ["/client/", "server=a&id=b", "leads nowhere"],
    ["/CLIENT", "server=a&id=b", "leads nowhere"],
    ["/toString", "", "leads nowhere"],
    ["/__proto__", "", "leads nowhere"],
    ["/x\u202E[a](command:x) $(bug)\u0007", "", "/x\\u{202E}[a] (command:x) $ (bug) leads nowhere"],
    [`/${"x".repeat(5_000)}`, "", "It is longer than any link."],
    ["/client", `server=a&id=${"b".repeat(3_000)}`, "It is longer than any link."],
    ["/client", "server=a", "It needs the parameter id."],
    ["/client", "id=a", "It names no server"],
    ["/client", "", "It needs the parameter id."],
    ["/client", "server=a&id=", "id is not the ID of a client."],
    ["/client", `server=a&id=${"b".repeat(129)}`, "id is not the ID of a client."],
    ["/client", "server=a&id=..", "id is not the ID of a client."],
    ["/client", "server=a&id=a%0Ab", "id is not the ID of a client."],
    ["/client", "server=a&id=b&id=c", "It says id twice."],
    ["/client", "server=a&id=b&%69d=c", "It says id twice."],
    ["/client", "server=a&id=b&name=c", "/client has no parameter name."],
    ["/client", "server=a&id=b&__proto__=c", "/client has no parameter __proto__."],
    ["/client", "server=a&id=b&", '/client has no parameter "".'],
    ["/client", "server=a&id=%zz", "It has a percent sign that means nothing."],
    ["/client", `server=a&id=b${"&x".repeat(20)}`, "It has more parameters than any link."],
    ["/client", "server=javascript://a&id=b", "server is neither"],
    ["/client", "server=file:///etc/passwd&id=b", "server is neither"],
    ["/client", `server=https://me:${SECRET}@relay.example.com&id=b`, "server is neither"],
    ["/client", `server=${"a".repeat(101)}&id=b`, "server is neither"],
    ["/client", "server=re\u202Elay&id=b", "server is neither"],
    ["/client", "server=&id=b", "server is neither"],
    ["/client", "fingerprint=SHA256:abc&id=b", "fingerprint is none"],
    ["/client", `fingerprint=${KEY}=&id=b`, "fingerprint is none"],
    ["/install", "server=a&credential=x", "credential is not the ID of one."],
    ["/install", "server=a&credential=a:b:c", "credential is not the ID of one."],
    ["/tunnel", "server=a&client=b", "It needs the parameter remote."],
    ["/tunnel", "server=a&client=b&remote=0", "remote is neither a port nor host:port."],
    ["/tunnel", "server=a&client=b&remote=65536", "remote is neither"],
    ["/tunnel", "server=a&client=b&remote=a b:22", "remote is neither"],
    ["/tunnel", "server=a&client=b&remote=22&local=0", "local is not a port"],
    ["/tunnel", "server=a&client=b&remote=22&local=65536", "local is not a port"],
    ["/tunnel", "server=a&client=b&remote=22&local=1e3", "local is not a port"],
    ["/add-server", `fingerprint=${KEY}`, "It needs the parameter server."],
    ["/add-server", "server=not a host", "server is neither"],
    ["/add-server", "server=https://a.example/?x=1", "server is neither"],
    ["/add-server", `server=a.example&name=${"x".repeat(101)}`, "name is not what"],
  ])("that is none is refused by what is wrong with it: %s?%s", (path, query, sentence) => {
    expect(whyNot(path, query)).toContain(sentence);
  });

  it("has no part behind a #", () => {
    expect(whyNot("/client", "server=a&id=b", "c")).toBe("No link has a # in it.");
  });

  it.each(["token", "access_token", "Password", "secret", "auth", "pairing-token", "otp"])(
    "S-18: never carries a secret: %s",
    (name) => {
      const path = "/add-server";
      const query = `server=relay.example.com&${name}=${SECRET}`;
      const why = whyNot(path, query);
      expect(why).toContain(`No link carries a secret, and this one has ${name}.`);
      expect(why).not.toContain(SECRET);
      expect(JSON.stringify(linkFacts({ path, query, fragment: "" }))).not.toContain(SECRET);
    },
  );

  it("leaves in the log its route and the names that are known, wherever a secret was put", () => {
    expect(
      linkFacts({
        path: "/tunnel",
        query: `server=${SECRET}&${SECRET}=1`,
        fragment: SECRET,
      }),
    ).toEqual({ route: "/tunnel", parameters: "server" });
    expect(linkFacts({ path: `/${SECRET}`, query: "id=%", fragment: "" })).toEqual({
      route: "unknown",
      parameters: "",
    });
  });
});

describe("the server of a link", () => {
  const one: Named = { name: "one", address: "https://one.example", fingerprint: KEY };
  const two: Named = { name: "two", address: "https://two.example", fingerprint: OTHER_KEY };
  const fresh: Named = { name: "fresh", address: "https://fresh.example", fingerprint: "" };
  const servers = [one, two, fresh];

  it.each([
    [{ server: "one" }, one],
    [{ server: "https://two.example" }, two],
    [{ fingerprint: KEY }, one],
    // an address may lead elsewhere by now, and a name means something else to everybody
    [{ server: "https://two.example", fingerprint: KEY }, one],
    [{ server: "https://elsewhere.example", fingerprint: OTHER_KEY }, two],
    [{ server: "fresh", fingerprint: OTHER_KEY }, two],
    [{ server: "fresh", fingerprint: `SHA256:${"c".repeat(43)}` }, fresh],
  ])("%j is the one that it means", (meant, server) => {
    expect(whichServer(meant, servers)).toEqual({ server });
  });

  it("is the one of the name where several have the key", () => {
    const again = { ...one, name: "again", address: "https://again.example" };
    expect(whichServer({ server: "again", fingerprint: KEY }, [one, again])).toEqual({
      server: again,
    });
  });

  it.each([
    [{ server: "https://evil.example" }, "No server here is https://evil.example."],
    [{ server: "ONE" }, "No server here is ONE."],
    [{ fingerprint: `SHA256:${"c".repeat(43)}` }, "No server here is SHA256:ccc"],
    [
      { server: "one", fingerprint: `SHA256:${"c".repeat(43)}` },
      "one has another key than the link says",
    ],
  ])("%j is none of those that are here", (meant, sentence) => {
    expect(whichServer(meant, servers)).toEqual({ why: expect.stringContaining(sentence) });
  });

  it("has a name of its own", () => {
    const twin = { ...two, name: "one" };
    expect(whichServer({ server: "one" }, [one, twin])).toEqual({
      why: "Several servers are called one.",
    });
  });
});
