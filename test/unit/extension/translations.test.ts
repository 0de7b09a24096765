import { globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { t } from "@vscode/l10n";
import { describe, expect, it } from "vitest";
import { ownTexts } from "../../support/ownTexts.ts";
import { ROOT } from "../../support/repository.ts";

/** What nobody reads, though it looks like it: names of headers, keys, styles and the like. */
const NOT_READ: ReadonlySet<string> = new Set([
  // one a line
  "       npm start -- --address 0.0.0.0:\u2026",
  "       npx rport-backend --address 0.0.0.0:\u2026",
  "Bearer \u2026",
  "Docker",
  "JSON.stringify([process.versions.node, require('node:module').isBuiltin('node:sqlite')])",
  "Linux",
  "Redis",
  "Windows",
  "default-src 'none'; style-src \u2026; script-src 'nonce-\u2026'",
  "default-src 'none'; img-src data:; style-src 'sha256-…'",
  "curl --insecure https://\u2026/",
  "curl http://\u2026/",
  "mongosh mongodb://\u2026/",
  "rport-agent install --server URL --terminals ACCOUNT",
  "HEAD / HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\nConnection: close\r\n\r\n",
  "rport-agent status",
  "sc query rport",
  "it has \u2026 bytes",
  "it is not JSON",
  "web tag:db os:linux status:online",
  "Include \u2026",
  "rport: \u2026\n",
  "rport \u2026\n",
  "ssh \u2026",
]);

/** What language models are told is English; what people are asked by their tools is not. */
const TO_MODELS = "extension/src/tools/";

/** Files for `ssh` and for shells and folders of editors, which have no language, and the help of a program, which is told none. */
const TO_PROGRAMS =
  /^extension\/src\/ssh\/(config\/(configText|launcherText)|bridge\/(helpText|editors))\.ts$/;

const files = globSync("extension/src/**/*.ts", { cwd: ROOT }).filter(
  (file) => !file.startsWith(TO_MODELS) && !TO_PROGRAMS.test(file),
);

describe("what the extension says", () => {
  it.each(files)("is looked up in the editor's language: %s", async (file) => {
    const { untranslated } = ownTexts(await readFile(join(ROOT, file), "utf8"));
    expect(untranslated.filter((text) => !NOT_READ.has(text))).toEqual([]);
  });
});

describe("a text of one's own", () => {
  it.each([
    ['say("Two words")', ["Two words"]],
    [`say(\`of \${name}\`)`, ["of …"]],
    ['say("Delete")', ["Delete"]],
    ['say(`<p lang="en" class="two words">two</p>`)', []],
    ['say(`<p class="two words">Two words</p>`)', ["Two words"]],
    ['say(`<img alt="Two words" src="two words">`)', ["Two words"]],
    ["say(`a { font: two words; }`)", []],
    ['say(t("Two words"))', []],
    ['say(t("{0} words", "one or two"))', ["one or two"]],
    ['log.warn("two words")', []],
    ['import x from "two words"', []],
    ['say("two-words", "rport.client")', []],
    ['say("<p class=two>of them</p>")', ["of them"]],
  ])("is found in %s", (source, untranslated) => {
    expect(ownTexts(source).untranslated).toEqual(untranslated);
  });

  it("may be that of an error", () => {
    expect(ownTexts('new Error(t("One")); log.warn("two words", t("Two"))')).toEqual({
      keys: ["One", "Two"],
      untranslated: [],
    });
  });

  it("is known by what it is looked up by", () => {
    const source = 't("One {0}", n); t({ message: "Two", comment: ["of three", "or four"] })';
    expect(ownTexts(source).keys).toEqual(["One {0}", "Two/of threeor four"]);
    expect(() => ownTexts("t(name)")).toThrow("not a text that can be looked up: name");
  });
});

describe("a value put into a text", () => {
  it.each(["{0}", "{1}", "{2}", "$&", "$1", "$$", "$`", "{toString}", "__proto__"])(
    "stays as it is: %s",
    (value) => {
      expect(t("{0} of {1}, {1} and {0}", value, "x")).toBe(`${value} of x, x and ${value}`);
      expect(t("{0} of {1}, {1} and {0}", "x", value)).toBe(`x of ${value}, ${value} and x`);
    },
  );

  it("may be empty", () => {
    expect(t("{0} of {1}", "", 0)).toBe(" of 0");
  });
});
