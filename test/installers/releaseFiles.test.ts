import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readdir, readFile, utimes } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { ROOT, textOf } from "../support/repository.ts";
import { tempDirectory } from "../support/tempDirectory.ts";

/** Scripts have no types: they run before anything is installed. */
const script = (name: string) => import(new URL(`../../scripts/lib/${name}`, import.meta.url).href);

const { gather } = await script("release/artefacts.mjs");
const { decidedVersion } = await script("release/versions.mjs");
const { packagesIn } = await script("release/shipped.mjs");

const run = promisify(execFile);
const version: string = decidedVersion(textOf);
const TIME_S = 1_700_000_000;
const NPM = join(ROOT, "dist/npm");
const NOTICES = "THIRD-PARTY-NOTICES.txt";

/** This checkout as it is built, with a changelog as at a release. */
const built = {
  path: (...parts: string[]) => join(ROOT, ...parts),
  read: (file: string) =>
    file === "CHANGELOG.md"
      ? `# Changelog\n\n## [${version}] - 2023-11-14\n\n- As at a release.\n`
      : textOf(file),
  run: async (program: string, args: string[]) => {
    const { stdout } = await run(program, args, { cwd: ROOT, maxBuffer: 1 << 25 });
    return stdout;
  },
};

const componentSchema = z.object({
  "bom-ref": z.string(),
  name: z.string(),
  version: z.string().optional(),
  type: z.string(),
  scope: z.string().optional(),
  components: z.array(z.object({ name: z.string() })).optional(),
});
const sbomSchema = z.object({
  bomFormat: z.literal("CycloneDX"),
  components: z.array(componentSchema),
  dependencies: z.array(z.object({ ref: z.string(), dependsOn: z.array(z.string()) })),
});

const keysIn = (notices: string): string[] =>
  packagesIn(notices).map((one: { name: string; version: string }) => `${one.name}@${one.version}`);

const sorted = (keys: Iterable<string>) => [...new Set(keys)].sort();

async function sha256(file: string): Promise<string> {
  return createHash("sha256")
    .update(await readFile(file))
    .digest("hex");
}

/** The extension's page, seen from its folder (scripts/lib/extensionPage.mjs). */
const PAGE = "dist/README.md";

/** Packs the extension as a release does. */
async function packExtension(file: string): Promise<void> {
  const vsce = join(ROOT, "node_modules/@vscode/vsce/vsce");
  const env = { ...process.env, SOURCE_DATE_EPOCH: String(TIME_S), TZ: "UTC" };
  const args = [vsce, "package", "--no-dependencies", "--readme-path", PAGE, "--out", file];
  await run(process.execPath, args, { cwd: join(ROOT, "extension"), env });
}

describe("the files of a release", () => {
  let folder: string;
  let names: readonly string[];
  const plan = { version, timeS: TIME_S, tarballs: [""] };

  beforeAll(async () => {
    await run(process.execPath, [join(ROOT, "scripts/package.mjs"), "--npm"], { cwd: ROOT });
    plan.tarballs = (await readdir(NPM))
      .filter((name) => name.endsWith(".tgz"))
      .map((name) => join(NPM, name));
    const temp = await tempDirectory();
    folder = join(temp.path, version);
    await gather(built, folder, plan);
    names = await readdir(folder);
    return () => temp[Symbol.asyncDispose]();
  }, 300_000);

  it("are listed with their sums, and are what a backend serves, but for unpacked programs", async () => {
    const { stdout } = await run("sha256sum", ["--check", "--strict", "SHA256SUMS"], {
      cwd: folder,
    });
    expect(stdout.trim().split("\n")).toHaveLength(names.length - 1);
    const manifest = JSON.parse(await readFile(join(folder, "manifest.json"), "utf8"));
    expect(manifest.version).toBe(version);
    for (const { name, packed, sha256: sum } of manifest.files) {
      const isProgram = packed.length > 0 && !name.endsWith(".cjs");
      expect(names.includes(name), name).toBe(!isProgram);
      if (!isProgram) expect(await sha256(join(folder, name))).toBe(sum);
      for (const copy of isProgram ? packed : []) {
        expect(await sha256(join(folder, copy.name))).toBe(copy.sha256);
      }
    }
  });

  it("S-30: are listed with all that is in them: what the notices of each name, and no more", async () => {
    await using temp = await tempDirectory();
    const vsix = join(folder, `rport-${version}.vsix`);
    await run("python3", ["-m", "zipfile", "-e", vsix, temp.path]);
    const inside = await readFile(join(temp.path, "extension/dist", NOTICES), "utf8");
    const agent = await readFile(join(folder, NOTICES), "utf8");
    const licences = await readFile(join(folder, "LICENSES.txt"), "utf8");
    const sbom = sbomSchema.parse(
      JSON.parse(await readFile(join(folder, "sbom.cdx.json"), "utf8")),
    );

    const archive = join(folder, `rport-backend-${version}.tgz`);
    await run("tar", ["-xzf", archive, "-C", temp.path]);
    const server = await readFile(join(temp.path, "package/lib", NOTICES), "utf8");

    const libraries = sbom.components.filter(({ type }) => type === "library");
    const listed = libraries.filter(({ scope }) => scope === "required");
    const keys = sorted(listed.map((one) => one["bom-ref"]));
    expect(keys).toEqual(sorted([inside, agent, server].flatMap(keysIn)));
    expect(keys).toEqual(sorted(keysIn(licences)));
    expect(keys.length).toBeGreaterThan(20);
    expect(listed.map(({ name, version: one }) => `${name}@${one}`)).toEqual(keys);
    const fetched = libraries.filter(({ scope }) => scope === "optional");
    const wanted = JSON.parse(await readFile(join(temp.path, "package/package.json"), "utf8"));
    expect(Object.fromEntries(fetched.map(({ name, version: one }) => [name, one]))).toEqual(
      wanted.optionalDependencies,
    );

    const needs = new Map(sbom.dependencies.map((row) => [row.ref, row.dependsOn]));
    const bun = sbom.components.find(({ name }) => name === "bun");
    expect(sorted(needs.get(`rport@${version}`) ?? [])).toEqual(sorted(keysIn(inside)));
    expect(sorted(needs.get(`rport-agent@${version}`) ?? [])).toEqual(
      sorted([...keysIn(agent), bun?.["bom-ref"] ?? ""]),
    );
    expect(sorted(needs.get(`rport-backend@${version}`) ?? [])).toEqual(
      sorted([...keysIn(server), ...fetched.map((one) => one["bom-ref"])]),
    );
    const pins = JSON.parse(textOf("scripts/lib/agent/bunPackages.json"));
    expect(bun?.version).toBe(pins.version);
    for (const { name } of bun?.components ?? []) expect(licences).toContain(`${name}: `);
  });

  it("have every licence in one file", async () => {
    const licences = await readFile(join(folder, "LICENSES.txt"), "utf8");
    expect(licences.startsWith(textOf("LICENSE").trimEnd())).toBe(true);
    expect(licences).toContain("Permission is hereby granted");
    expect(licences.endsWith(textOf("scripts/lib/bunNotices.txt"))).toBe(true);
  });

  it("are the same bytes whenever, and wherever, they are packed", async () => {
    await using temp = await tempDirectory();
    const [one, other] = [join(temp.path, "one.vsix"), join(temp.path, "other.vsix")];
    await packExtension(one);
    await utimes(join(ROOT, "extension", PAGE), new Date(), new Date());
    await packExtension(other);
    expect(await sha256(other)).toBe(await sha256(one));
    const archive = `rport-backend-${version}.tgz`;
    const args = ["pack", "--ignore-scripts", "--pack-destination", temp.path];
    const server = join(NPM, "rport-backend");
    await utimes(join(server, "package.json"), new Date(), new Date());
    await run("npm", args, { cwd: server });
    expect(await sha256(join(temp.path, archive))).toBe(await sha256(join(folder, archive)));
    const again = join(temp.path, "again");
    await gather(built, again, plan);
    const sums = await readFile(join(again, "SHA256SUMS"), "utf8");
    expect(sums).toBe(await readFile(join(folder, "SHA256SUMS"), "utf8"));
  });
});
