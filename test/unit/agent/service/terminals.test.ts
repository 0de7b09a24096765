import { readFile, rename, stat, symlink, writeFile } from "node:fs/promises";
import os from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { EXIT } from "../../../../agent/src/cli/cliFailure.ts";
import { prefixLayout, systemLayout } from "../../../../agent/src/machine/posix/layouts.ts";
import type { Service } from "../../../../agent/src/machine/supervisor.ts";
import {
  meaning,
  type TerminalFlags,
  terminalsIn,
  withOptionalAccount,
} from "../../../../agent/src/service/terminals.ts";
import { CONFIG, installScene } from "../../../support/installer/installScene.ts";

const ME = os.userInfo().username;
const NOTHING: TerminalFlags = { "no-terminals": false, "no-service": false };
const ALLOWED = { kind: "allowed", account: "anna", isNew: true } as const;
const SECTION = "\n[terminal]\nenabled = true\n";

/** What becomes of what was said on a host whose service, if it is open, runs as that account. */
function decide(flags: Partial<TerminalFlags>, openAs?: string, prefix?: string) {
  const service = {
    allowsTerminals: async () => openAs !== undefined,
    account: async () => openAs,
  };
  const installing = {
    accounts: {
      whyNoTerminal: async (name: string) => (name === "gone" ? "It is gone." : undefined),
    },
    service: async () => service as unknown as Service,
  };
  const layout = prefix === undefined ? systemLayout() : prefixLayout(prefix);
  const user = prefix === undefined ? (flags.user ?? "rport") : undefined;
  const place = { layout, self: { kind: "executable", file: "/agent" }, user } as const;
  const parts = installing as unknown as Parameters<typeof terminalsIn>[2];
  return terminalsIn(place, { ...NOTHING, ...flags }, parts);
}

describe("what is said of terminals", () => {
  test("makes the agent run as their account, whose service is open", async () => {
    const made = await decide({ terminals: "anna" });
    expect(made).toMatchObject({
      terminals: ALLOWED,
      place: { user: "anna", allowsTerminals: true },
    });
    const nothing = await decide({});
    expect(nothing).toMatchObject({ terminals: { kind: "unsaid" }, place: { user: "rport" } });
    expect(nothing.place.allowsTerminals).toBeUndefined();
  });

  test("counts until something else is said", async () => {
    const kept = { terminals: { ...ALLOWED, isNew: false }, place: { user: "anna" } };
    expect(await decide({}, "anna")).toMatchObject(kept);
    const forbidden = await decide({ "no-terminals": true }, "anna");
    expect(forbidden).toMatchObject({ terminals: { kind: "forbidden" }, place: { user: "rport" } });
    expect(forbidden.place.allowsTerminals).toBeUndefined();
    expect(await decide({ terminals: "bob" }, "anna")).toMatchObject({ place: { user: "bob" } });
  });

  test("below a directory is about the one who installs", async () => {
    const own = { terminals: { account: ME }, place: { user: undefined, allowsTerminals: true } };
    expect(await decide({ terminals: "" }, undefined, "/p")).toMatchObject(own);
    expect(await decide({ terminals: ME }, undefined, "/p")).toMatchObject(own);
    expect(await decide({}, "", "/p")).toMatchObject(own);
    const other = decide({ terminals: "somebody" }, undefined, "/p");
    await expect(other).rejects.toMatchObject({ exitCode: EXIT.usage });
    await expect(other).rejects.toThrow(`runs as you, ${ME}, and opens no terminals as somebody`);
  });

  test.each<[Partial<TerminalFlags> & { readonly openAs?: string }, number, string]>([
    [{ terminals: "" }, EXIT.usage, "needs the account"],
    [{ terminals: "anna", user: "bob" }, EXIT.usage, "here anna"],
    [{ user: "bob", openAs: "anna" }, EXIT.usage, "here anna"],
    [{ terminals: "gone" }, EXIT.unsupported, "It is gone."],
    [{ openAs: "gone" }, EXIT.unsupported, "It is gone."],
    [{ terminals: "anna", "no-terminals": true }, EXIT.usage, "contradict"],
    [{ terminals: "anna", "no-service": true }, EXIT.unsupported, "groups of anna"],
  ])("is refused with a sentence: %j", async ({ openAs, ...flags }, exitCode, sentence) => {
    const refused = decide(flags, openAs);
    await expect(refused).rejects.toMatchObject({ exitCode });
    await expect(refused).rejects.toThrow(sentence);
  });

  test("root's own shells need no groups", async () => {
    const made = decide({ terminals: "root", "no-service": true });
    expect(await made).toMatchObject({ place: { user: "root" } });
  });

  test("PAIR-30: is not what the agent's own account writes, and then that is told", () => {
    const config = CONFIG + SECTION;
    const told = { server: "http://s", config, commands: { allow: "allow it", forbid: "" } };
    const lines = meaning({ layout: systemLayout() }, { kind: "unsaid" }, told);
    expect(lines).toEqual([expect.stringContaining("the service is confined"), "  allow it"]);
    for (const [layout, text] of [
      [systemLayout(), CONFIG],
      [prefixLayout("/p"), config],
    ] as const) {
      expect(meaning({ layout }, { kind: "unsaid" }, { ...told, config: text })).toEqual([]);
    }
  });

  test("needs no account behind the word", () => {
    const word = (...args: string[]) => withOptionalAccount(args);
    expect(word("--terminals", "--force")).toEqual(["--terminals=", "--force"]);
    expect(word("--force", "--terminals")).toEqual(["--force", "--terminals="]);
    expect(word("--terminals", "anna")).toEqual(["--terminals", "anna"]);
    expect(word("--terminals=anna", "--name", "x")).toEqual(["--terminals=anna", "--name", "x"]);
  });
});

describe("installing with terminals", () => {
  test("allows them with the enrolment, and says what that means", async () => {
    await using it = await installScene();
    await it.run({ terminals: ALLOWED });
    expect(await readFile(it.layout.config, "utf8")).toBe(CONFIG + SECTION);
    const said = it.said.join("\n");
    expect(said).toMatch(
      /Whoever may open terminals at http:\/\/\S+ acts on this host as anna, until/,
    );
    expect(said).toContain(`--no-terminals --prefix ${it.prefix}`);
  });

  test("allows them on an enrolled host without a token, whose agent cannot write meanwhile", async () => {
    await using it = await installScene();
    await it.run();
    const rotated = CONFIG.replace("secret-of-this-host", "another-secret");
    it.supervisor.onStop = () => writeFile(it.layout.config, rotated);
    it.supervisor.notes.length = 0;
    await it.run({ terminals: ALLOWED });
    expect(await readFile(it.layout.config, "utf8")).toBe(rotated + SECTION);
    expect((await stat(it.layout.config)).mode & 0o777).toBe(0o600);
    expect(it.supervisor.notes).toEqual(["stop", "install", "stop", "start"]);
    expect(it.tokens.spent).toBe(1);
    it.supervisor.notes.length = 0;
    await it.run({ terminals: ALLOWED });
    expect(it.supervisor.notes).toEqual([]);
    expect(it.said.at(-2)).toContain("as anna");
  });

  test("keeps them when nothing is said, and forbids them when that is", async () => {
    await using it = await installScene();
    await it.run({ terminals: ALLOWED });
    await writeFile(it.program, "version 2");
    await it.run();
    expect(await readFile(it.layout.config, "utf8")).toBe(CONFIG + SECTION);
    await it.run({ isForced: true, terminals: { kind: "forbidden" } });
    expect(await readFile(it.layout.config, "utf8")).toBe(CONFIG);
    await it.run({ terminals: ALLOWED });
    await it.run({ terminals: { kind: "forbidden" } });
    const off = SECTION.replace("true", "false");
    expect(await readFile(it.layout.config, "utf8")).toBe(CONFIG + off);
    expect(it.said.at(-1)).toBe("No terminals are allowed on this host.");
  });

  test("follows no link where it writes, and minds none where nothing is said", async () => {
    await using it = await installScene();
    await it.run();
    const elsewhere = join(it.directory.path, "elsewhere.conf");
    await rename(it.layout.config, elsewhere);
    await symlink(elsewhere, it.layout.config);
    await writeFile(it.program, "version 2");
    await it.run();
    expect(await readFile(it.layout.program, "utf8")).toBe("version 2");
    await expect(it.run({ terminals: ALLOWED })).rejects.toThrow();
    expect(await readFile(elsewhere, "utf8")).toBe(CONFIG);
  });

  test("puts everything back when the agent does not connect, and starts it", async () => {
    await using it = await installScene();
    await it.run();
    it.supervisor.connects = false;
    const failed = it.run({ terminals: ALLOWED });
    await expect(failed).rejects.toMatchObject({ exitCode: EXIT.offline });
    expect(await readFile(it.layout.config, "utf8")).toBe(CONFIG);
    expect(it.supervisor.notes.at(-1)).toBe("start");
  });

  test("says in a dry run what would be changed", async () => {
    await using it = await installScene();
    await it.run();
    it.said.length = 0;
    await it.run({ isDryRun: true, terminals: ALLOWED });
    expect(it.said.join("\n")).toContain(`would allow terminals in ${it.layout.config}`);
    expect(await readFile(it.layout.config, "utf8")).toBe(CONFIG);
  });
});
