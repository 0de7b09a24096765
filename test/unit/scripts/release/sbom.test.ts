import { describe, expect, it } from "vitest";
import { z } from "zod";
import { textOf } from "../../../support/repository.ts";

const script = (name: string) =>
  import(new URL(`../../../../scripts/lib/${name}`, import.meta.url).href);

const { bunNotices, noticesText } = await script("notices.mjs");
const { distinct, librariesIn, licencesText, packagesIn } = await script("release/shipped.mjs");
const { sbomOf } = await script("release/sbom.mjs");

const ZOD = { name: "zod", version: "4.6.7", licence: "MIT", text: "Do\n\nas you like (really)." };
const NOBLE = { name: "@noble/hashes", version: "2.4.0", licence: "MIT", text: "MIT License" };
const OLD_ZOD = { name: "zod", version: "3.0.0", licence: "MIT", text: "Older." };

const listed = (name: string, version: string) => ({
  name,
  version,
  purl: `pkg:npm/${name}@${version}`,
  hashes: [{ alg: "SHA-512", content: "00" }],
});

const RAW = {
  components: [listed("zod", "4.6.7"), listed("@noble/hashes", "2.4.0"), listed("vitest", "5.1.1")],
  dependencies: [
    { ref: "@noble/hashes@2.4.0", dependsOn: ["zod@4.6.7", "vitest@5.1.1"] },
    { ref: "zod@4.6.7", dependsOn: [] },
  ],
};

const PARTS = [
  { name: "rport", hasBun: false, packages: [ZOD] },
  { name: "rport-agent", hasBun: true, packages: [ZOD, NOBLE] },
  { name: "rport-backend", hasBun: false, packages: [NOBLE] },
];
/** Something that npm fetches beside the server. */
const FETCHED = [{ name: "vitest", version: "5.1.1" }];
const bun = { version: "1.4.5", libraries: librariesIn(bunNotices()) };
const release = {
  version: "1.2.3",
  timeS: 0,
  parts: PARTS,
  packages: [NOBLE, ZOD],
  bun,
  fetched: FETCHED,
};

describe("the notices beside a bundle", () => {
  it("are read as they were written, with what Bun contains behind them or not", () => {
    const packages = [NOBLE, OLD_ZOD, ZOD];
    const text: string = noticesText(packages);
    expect(packagesIn(text)).toEqual(packages);
    expect(packagesIn(`${text}\n${bunNotices()}`)).toEqual(packages);
    expect(packagesIn("")).toEqual([]);
  });

  it("are each in the licences of a release, once", () => {
    const packages = [ZOD, NOBLE, ZOD, OLD_ZOD];
    const text: string = licencesText({ own: "Ours.\n", packages, bun: bunNotices() });
    expect(packagesIn(text)).toEqual([NOBLE, OLD_ZOD, ZOD]);
    expect(packagesIn(text)).toEqual(distinct(packages));
    expect(text.startsWith("Ours.\n")).toBe(true);
    expect(text.endsWith(bunNotices())).toBe(true);
    expect(licencesText({ own: "Ours.", packages })).not.toContain("JavaScriptCore");
  });

  it("name every library that is linked into Bun", () => {
    const libraries = z
      .array(z.object({ name: z.string(), licence: z.string(), source: z.url() }))
      .parse(bun.libraries);
    const addresses = [...textOf("scripts/lib/bunNotices.txt").matchAll(/https:\/\/[^)\s]+/g)];
    const others = ["https://bun.com", "/oven-sh/bun,", "/old-licenses/"];
    const named = addresses.filter(([url]) => !others.some((other) => `${url},`.includes(other)));
    expect(libraries.length).toBeGreaterThan(20);
    expect(libraries.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["JavaScriptCore and other parts of WebKit", "TinyCC", "zstd"]),
    );
    expect(new Set(libraries.map(({ source }) => source))).toEqual(
      new Set(named.map(([url]) => url)),
    );
  });
});

describe("the list of what is shipped", () => {
  const sbom = sbomOf(RAW, release);

  it("has our programs, the packages in them, and Bun with its libraries; and nothing else", () => {
    const names = sbom.components.map((one: { "bom-ref": string }) => one["bom-ref"]);
    expect(names).toEqual([
      "rport@1.2.3",
      "rport-agent@1.2.3",
      "rport-backend@1.2.3",
      "@noble/hashes@2.4.0",
      "zod@4.6.7",
      "vitest@5.1.1",
      "bun@1.4.5",
    ]);
    const scopes = sbom.components.map((one: { scope?: string }) => one.scope);
    expect(scopes.filter((scope: string) => scope === "optional")).toHaveLength(1);
    expect(sbom.components.at(-2)).toMatchObject({ name: "vitest", scope: "optional" });
    expect(sbom.components.at(-1).components).toHaveLength(bun.libraries.length);
    expect(sbom.metadata.timestamp).toBe("1970-01-01T00:00:00.000Z");
  });

  it("says what is in which program, and what a package needs of what is there", () => {
    const needs = new Map(
      sbom.dependencies.map((row: { ref: string; dependsOn: string[] }) => [
        row.ref,
        row.dependsOn,
      ]),
    );
    expect(needs.get("rport-for-vscode@1.2.3")).toEqual([
      "rport@1.2.3",
      "rport-agent@1.2.3",
      "rport-backend@1.2.3",
    ]);
    expect(needs.get("rport-backend@1.2.3")).toEqual(["@noble/hashes@2.4.0", "vitest@5.1.1"]);
    expect(needs.get("rport@1.2.3")).toEqual(["zod@4.6.7"]);
    expect(needs.get("rport-agent@1.2.3")).toEqual([
      "@noble/hashes@2.4.0",
      "bun@1.4.5",
      "zod@4.6.7",
    ]);
    expect(needs.get("@noble/hashes@2.4.0")).toEqual(["zod@4.6.7"]);
  });

  it("has the same bytes each time, and another number when anything is another", () => {
    expect(JSON.stringify(sbomOf(RAW, release))).toBe(JSON.stringify(sbom));
    expect(sbom.serialNumber).toMatch(
      /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(sbomOf(RAW, { ...release, timeS: 1 }).serialNumber).not.toBe(sbom.serialNumber);
  });

  it("is not made when something is shipped that npm does not know of", () => {
    const packages = [OLD_ZOD];
    const parts = [{ name: "rport", hasBun: false, packages }];
    expect(() => sbomOf(RAW, { ...release, parts, packages })).toThrow("no zod@3.0.0");
  });
});
