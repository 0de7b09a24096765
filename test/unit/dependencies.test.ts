import { describe, expect, it } from "vitest";
import { z } from "zod";
import { textOf } from "../support/repository.ts";

/** The first versions without the holes that are known of what faces the network. */
const FLOORS: Readonly<Record<string, string>> = {
  "body-parser": "2.2.1",
  cookie: "0.7.0",
  express: "5.2.0",
  "path-to-regexp": "8.4.0",
  qs: "6.14.2",
  send: "1.1.0",
  ssh2: "1.17.0",
  ws: "8.21.1",
};

/** Those that would run a program at their installation, if they were let: each was looked at. */
const WITH_SCRIPTS = [
  "@vscode/vsce-sign",
  "cpu-features",
  "esbuild",
  "ssh2",
  "tree-sitter-powershell",
];

const lockSchema = z.object({
  packages: z.record(
    z.string(),
    z.object({
      version: z.string().optional(),
      license: z.string().optional(),
      resolved: z.string().optional(),
      integrity: z.string().optional(),
      link: z.boolean().optional(),
      dev: z.boolean().optional(),
      hasInstallScript: z.boolean().optional(),
    }),
  ),
});

const { packages } = lockSchema.parse(JSON.parse(textOf("package-lock.json")));
/** Every package that is fetched, wherever it is put; some are there in several versions. */
const fetched = Object.entries(packages)
  .filter(([path, { link }]) => path.includes("node_modules/") && link !== true)
  .map(([path, facts]) => ({ name: path.split("node_modules/").at(-1) ?? "", facts }));

const numbers = (version: string) => version.split(/[.-]/).map(Number);

function isOlder(version: string, floor: string): boolean {
  const [one, other] = [numbers(version), numbers(floor)];
  const at = one.findIndex((part, index) => part !== other[index]);
  return at >= 0 && (one[at] ?? 0) < (other[at] ?? 0);
}

describe("the packages that are locked", () => {
  it("are looked for everywhere", () => expect(fetched.length).toBeGreaterThan(400));

  it.each(Object.entries(FLOORS))("C-18: %s is %s or newer, in each copy", (name, floor) => {
    const versions = fetched.filter((one) => one.name === name).map(({ facts }) => facts.version);
    expect(versions).not.toEqual([]);
    expect(versions.filter((version) => isOlder(version ?? "0", floor))).toEqual([]);
  });

  it("C-18: are compared by their numbers", () => {
    expect(isOlder("8.21.0", "8.21.1")).toBe(true);
    expect(isOlder("8.9.9", "8.21.1")).toBe(true);
    expect(isOlder("8.21.1", "8.21.1")).toBe(false);
    expect(isOlder("9.0.0", "8.21.1")).toBe(false);
  });

  it("S-30: are what was locked, byte by byte, and come encrypted from a registry", () => {
    const loose = fetched.filter(({ facts }) => !facts.integrity?.startsWith("sha512-"));
    expect(loose.map(({ name }) => name)).toEqual([]);
    const elsewhere = fetched.filter(
      ({ facts: { resolved } }) => resolved !== undefined && !resolved.startsWith("https://"),
    );
    expect(elsewhere.map(({ name }) => name)).toEqual([]);
  });

  it("S-30: run no script at their installation, and those that would are known", () => {
    expect(textOf(".npmrc")).toMatch(/^ignore-scripts=true$/m);
    expect(textOf("scripts/lib/install.mjs")).toContain('"ci", "--ignore-scripts"');
    const would = fetched.filter(({ facts }) => facts.hasInstallScript === true);
    expect(would.map(({ name }) => name).sort()).toEqual(WITH_SCRIPTS);
  });

  it("S-30: are locked as the packages name them, to one version each", () => {
    const manifests = ["", "backend/protocol/", "backend/", "agent/", "extension/", "webview-ui/"];
    const wanted = manifests.flatMap((folder) => {
      const written = JSON.parse(textOf(`${folder}package.json`)) as Record<string, object>;
      const kinds = ["dependencies", "devDependencies", "optionalDependencies"];
      return kinds.flatMap((kind) => Object.entries(written[kind] ?? {}));
    });
    expect(wanted.length).toBeGreaterThan(20);
    const open = wanted.filter(([, version]) => !/^(\d+\.\d+\.\d+|\*)$/.test(String(version)));
    expect(open).toEqual([]);
  });
});

describe("the licences of what is shipped", () => {
  it("ask for no more than to go along", async () => {
    const script = new URL("../../scripts/lib/notices.mjs", import.meta.url).href;
    const { allowedLicences, whyNotShipped, withSharedTexts } = await import(script);
    const shipped = fetched.filter(
      ({ facts }) => facts.dev !== true && facts.license !== undefined,
    );
    expect(shipped.length).toBeGreaterThan(50);
    const other = shipped.filter(({ facts }) => !allowedLicences.includes(facts.license));
    expect(other.map(({ name, facts }) => `${name}: ${facts.license}`)).toEqual([]);
    expect(whyNotShipped({ name: "x", licence: "GPL-3.0", text: "" })).toEqual([
      'x has the licence "GPL-3.0"',
      "x comes without the text of its licence",
    ]);
    const parts = [
      { name: "a", source: "one", licence: "MIT", text: "the text" },
      { name: "b", source: "one", licence: "MIT", text: "" },
      { name: "c", source: "two", licence: "MIT", text: "" },
    ];
    const texts = withSharedTexts(parts).map(({ text }: { text: string }) => text);
    expect(texts).toEqual(["the text", "the text", ""]);
  });
});
