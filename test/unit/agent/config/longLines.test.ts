import { parse } from "smol-toml";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { parseDuration } from "../../../../agent/src/config/duration.ts";
import { sortKeys } from "../../../../agent/src/config/fileKeys.ts";
import { withTerminals } from "../../../../agent/src/config/terminalSection.ts";
import { weakList } from "../../../../agent/src/config/weakly.ts";

/** As much as a file of a configuration may have. */
const MUCH = 1 << 20;
const ROOT = { isAllowed: true, asRoot: true } as const;
const OWN = { isAllowed: true, asRoot: false } as const;

/** Each of these took minutes at the least, or all memory, of whoever reads the file of another account. */
describe("S-46: an rport.conf is read in a time that grows with its length", () => {
  test("where a line in a text of several lines begins like a list, and is none", () => {
    const line = `accounts = [${'"a"  '.repeat(60)}x`;
    const text = `[client]\nname = '''\n${line}\n'''\n[terminal]\nenabled = true\n`;
    const changed = withTerminals(text, ROOT);
    expect(changed).toContain(line);
    expect(parse(changed).terminal).toEqual({ enabled: true, accounts: ["root"] });
  });

  test("where all lines of such a text are like the one that is wanted", () => {
    const line = "enabled = false\n";
    const lines = line.repeat(40_000);
    const text = `# mine\n[client]\nname = '''\n${lines}'''\n[terminal]\n${line}`;
    expect(parse(withTerminals(text, OWN))).toEqual({
      client: { name: lines },
      terminal: { enabled: true },
    });
  });

  test.each([
    ["blanks in a field", `a${" ".repeat(MUCH)}b`, 1],
    ["blanks alone behind a quote", `"a"${" ".repeat(MUCH)}b`, 1],
    ["quotes that nothing closes", `"${'""'.repeat(MUCH >> 1)}`, 1],
    ["fields", ",".repeat(MUCH), MUCH + 1],
  ])("where a list has a million %s", (_, line, fields) => {
    const list = weakList(z.string(), MUCH + 1).parse(line);
    expect(list).toHaveLength(fields);
  });

  test("where a duration has a million digits, or a key says tunnel as often", () => {
    expect(parseDuration(`${"0".repeat(MUCH)}!`)).toBeUndefined();
    const key = "tunnel".repeat(MUCH / 6);
    expect(sortKeys({ client: { [key]: 1 } }, "rport.conf").unknown).toEqual([`client.${key}`]);
  });
});

test.each([
  ["a,b", ["a", "b"]],
  ["[ a , b ]", ["a", "b"]],
  [' "a,b" , c', ["a,b", "c"]],
  ['"say ""a""",b', ['say "a"', "b"]],
  ['"a"b,c', ['"a"b', "c"]],
  ['"a,b', ['"a', "b"]],
  ["a,", ["a", ""]],
  [",", ["", ""]],
  ['"",x', ["", "x"]],
  ["", []],
])("%s is a list", (line, list) => {
  expect(weakList(z.string(), 10).parse(line)).toEqual(list);
});
