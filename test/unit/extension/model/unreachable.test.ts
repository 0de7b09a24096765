import { expect, it } from "vitest";
import { placeName, unreachableText } from "../../../../extension/src/model/tunnels/unreachable.ts";
import { HOSTILE_TEXTS } from "../../../support/hostileTexts.ts";

it.each([
  ["connect ECONNREFUSED 127.0.0.1:5432", "Nothing listens on db-01:5432 (connection refused)."],
  [
    "dial tcp 127.0.0.1:5432: connect: connection refused",
    "Nothing listens on db-01:5432 (connection refused).",
  ],
  ["dial tcp 10.0.0.5:22: i/o timeout", "Nothing answers on db-01:5432 in time."],
  ["getaddrinfo ENOTFOUND db", "Nothing answers on db-01:5432: the host does not know this name."],
  ["lookup db: no such host", "Nothing answers on db-01:5432: the host does not know this name."],
  ["connect EHOSTUNREACH 10.0.0.5:22", "Nothing answers on db-01:5432: the host has no way there."],
  ["EMFILE", "Nothing answers on db-01:5432 (EMFILE)."],
  ["", "Nothing answers on db-01:5432."],
])("what a host said when it tried a target is told in words: %s", (words, text) => {
  expect(unreachableText("db-01:5432", words)).toBe(text);
});

it("a place of the host itself is called by the host, another one by its address", () => {
  expect(placeName("db-01", { host: "127.0.0.1", port: 5_432 })).toBe("db-01:5432");
  expect(placeName("db-01", { host: "fd00::5", port: 22 })).toBe(
    "[fd00::5]:22, as seen from db-01",
  );
});

it.each(HOSTILE_TEXTS)("is no icon, link or second line, and bounded: %j", (text) => {
  const shown = unreachableText(placeName(text, { host: "localhost", port: 1 }), text.repeat(100));
  expect(shown).not.toMatch(/\$\(|\]\(|[\p{Cc}\p{Default_Ignorable_Code_Point}]/u);
  expect(shown.length).toBeLessThan(2_000);
});
