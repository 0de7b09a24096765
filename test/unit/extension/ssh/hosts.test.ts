import { describe, expect, it } from "vitest";
import { findHost as find } from "../../../../extension/src/ssh/findHost.ts";
import { type Host, handleOf, nameHosts } from "../../../../extension/src/ssh/hosts.ts";
import { HOSTILE_TEXTS } from "../../../support/hostileTexts.ts";
import { findable } from "./findable.ts";

const PROD = { serverKey: "https://prod.example.com", serverName: "Prod" };
const LAB = { serverKey: "https://lab.example.com", serverName: "The Lab" };

function host(id: string, changes: Partial<Host> = {}): Host {
  return { ...PROD, id, name: "", hostname: "", ...changes };
}

const findHost = (asked: string, hosts: readonly Host[]) => find(asked, findable(hosts)).host;
const aliasesOf = (...hosts: readonly Host[]) =>
  nameHosts(hosts).named.map(({ aliases }) => aliases);

describe("what hosts are called for ssh", () => {
  it("is their name, their host name and their id, also with the server's name, and what lasts", () => {
    const web = host("f00d", { name: "Web-01", hostname: "ip-10-0-0-1" });
    expect(aliasesOf(web)).toEqual([
      [
        ...["Web-01.rport", "web-01.rport", "Web-01.prod.rport", "web-01.prod.rport"],
        ...["ip-10-0-0-1.rport", "ip-10-0-0-1.prod.rport", "f00d.rport", "f00d.prod.rport"],
        handleOf(web),
      ],
    ]);
    expect(handleOf(web)).toMatch(/^f00d\.[0-9a-f]{24}\.rport$/);
  });

  it("is with the server's name alone where two servers have a host of one name", () => {
    const one = host("a1", { name: "web-01" });
    const other = host("b2", { ...LAB, name: "WEB-01" });
    const { named, ambiguous } = nameHosts([one, other]);
    expect(named.map(({ aliases }) => aliases[0])).toEqual([
      "web-01.prod.rport",
      "WEB-01.the-lab.rport",
    ]);
    expect(ambiguous).toEqual([["web-01.rport", "WEB-01.rport"]]);
  });

  it("is no name at all of two hosts of one server, and no label of two servers of one name", () => {
    const twins = [host("a1", { name: "web" }), host("b2", { name: "web" })];
    expect(aliasesOf(...twins).flat()).not.toContainEqual(expect.stringMatching(/^web\./));
    const same = [host("a1", { name: "web" }), host("b2", { ...LAB, serverName: "prod" })];
    expect(aliasesOf(...same)[0]).toEqual(["web.rport", "a1.rport", handleOf(host("a1"))]);
  });

  it("S-55: cannot be taken from a host by another that calls itself by its id, its handle or its full name", () => {
    const real = host("f00d", { ...LAB, name: "web-01" });
    const handle = handleOf(real).replace(/\.rport$/, "");
    for (const name of ["f00d", handle, handle.toUpperCase(), "web-01.the-lab"]) {
      const thief = host("evil", { name });
      const { named } = nameHosts([real, thief]);
      const owned = named.find(({ host: { id } }) => id === "evil")?.aliases ?? [];
      expect(owned.map((alias) => alias.toLowerCase())).not.toContain(
        `${name.toLowerCase()}.rport`,
      );
      expect(findHost(handleOf(real), [thief, real])).toBe(real);
    }
  });

  it("S-55: are no names that a handle could be, of whichever length, whoever it is of", () => {
    const gone = host("f00d", LAB);
    const unsafe = host("f 00d", LAB);
    for (const handle of [handleOf(gone), handleOf(unsafe), "f00d.1a2b3c4d.rport"]) {
      const bare = handle.replace(/\.rport$/, "");
      for (const text of [bare, bare.toUpperCase(), handle]) {
        const thieves = [
          host("evil", { name: text }),
          host("evil", { hostname: text }),
          host(text),
          host("evil", { name: bare.replace(/\.[0-9a-f]+$/, ""), serverName: bare.slice(-24) }),
        ];
        for (const thief of thieves) {
          const own = handleOf(thief);
          const others = aliasesOf(thief)
            .flat()
            .filter((alias) => alias !== own);
          expect(others.map((alias) => alias.toLowerCase())).not.toContain(handle);
          for (const asked of [handle, bare, text]) {
            expect(() => findHost(asked, [thief]), asked).toThrow("No host is called");
          }
        }
      }
    }
  });

  it("S-55: lead to nobody when two hosts have one handle", () => {
    const twins = [host("f00d", { name: "one" }), host("f00d", { name: "other" }), host("beef")];
    const { named, ambiguous } = nameHosts(twins);
    expect(named.map(({ aliases }) => aliases.length > 0)).toEqual([false, false, true]);
    const handle = handleOf(host("f00d"));
    expect(ambiguous).toContainEqual([handle]);
    expect(() => findHost(handle, twins)).toThrow(/^Several hosts are called/);
  });

  it("are found out once for a list", () => {
    const hosts = [host("f00d")];
    expect(nameHosts(hosts)).toBe(nameHosts(hosts));
  });

  it.each(HOSTILE_TEXTS.map((text) => [JSON.stringify(text).slice(0, 60), text]))(
    "are safe texts, whatever a host says that it is called: %s",
    (_, text) => {
      const hosts = [host(text, { name: text, hostname: text, serverName: text })];
      for (const alias of aliasesOf(...hosts).flat())
        expect(alias).toMatch(/^[\w.-]{1,200}\.rport$/);
    },
  );

  it("are different for two ids that are no safe texts", () => {
    expect(handleOf(host("a b"))).toMatch(/^[0-9a-f]{20}\.id\.[0-9a-f]{24}\.rport$/);
    const [computed = ""] = handleOf(host("a b")).split(".");
    const ids = ["a b", "a  b", "abc", "ABC", computed, `${computed}.id`, "a.b"];
    const handles = ids.map((id) => handleOf(host(id)).toLowerCase());
    expect(new Set(handles).size).toBe(ids.length);
  });
});

describe("the host that somebody means", () => {
  const web = host("f00d", { name: "web 01", hostname: "web-01" });
  const db = host("beef", { name: "db-01" });
  const lab = host("cafe", { ...LAB, name: "db-01" });
  const all = [web, db, lab];

  it.each(["web 01", "web-01", "WEB-01.rport", "f00d", "f00d.rport", "web-01.prod"])(
    "is found by %s",
    (asked) => expect(findHost(asked, all)).toBe(web),
  );

  it("is refused with the candidates when it could be several", () => {
    expect(() => findHost("db-01", all)).toThrow(
      "Several hosts are called db-01: db-01.prod.rport (Prod), db-01.the-lab.rport (The Lab).",
    );
    expect(findHost("db-01.the-lab.rport", all)).toBe(lab);
  });

  it("is said not to be there, in a text that is one line", () => {
    expect(() => findHost("no\n\u001b[31m", all)).toThrow(/^No host is called no \S*\[31m\.$/);
  });
});
