import { execFile } from "node:child_process";
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import { tempDirectory } from "../support/tempDirectory.ts";

const root = resolve(import.meta.dirname, "../..");
const PLUGIN = "scripts/lint/noSpreadLiteral.grit";

const FORBIDDEN = [
  "use({ ...{ a } });",
  "use({ x: 1, ...{ a, b }, y: 2 });",
  "use({ ...(b ? { a } : {}) });",
  "use({ ...(b ? {} : c) });",
  "use({ ...(b && { a }) });",
];
const ALLOWED = ["use({ ...c });", "use(...(b ? [a] : []));", "use({ ...more(a) });"];

/** Lines of a source about which lint complains. */
async function complainedOf(lines: readonly string[]): Promise<number[]> {
  await using scratch = await tempDirectory();
  await mkdir(join(scratch.path, "scripts/lint"), { recursive: true });
  await copyFile(join(root, PLUGIN), join(scratch.path, PLUGIN));
  const config = { plugins: [`./${PLUGIN}`], linter: { rules: { preset: "none" } } };
  await writeFile(join(scratch.path, "biome.json"), JSON.stringify(config));
  await writeFile(join(scratch.path, "sample.ts"), lines.join("\n"));
  const biome = join(root, "node_modules/@biomejs/biome/bin/biome");
  const args = [biome, "lint", "--reporter=json", "sample.ts"];
  const text = await new Promise<string>((done) => {
    execFile(process.execPath, args, { cwd: scratch.path }, (_error, stdout) => done(stdout));
  });
  const { diagnostics } = JSON.parse(text) as { diagnostics: Diagnostic[] };
  return diagnostics.map(({ location }) => location.start.line);
}

interface Diagnostic {
  readonly location: { readonly start: { readonly line: number } };
}

it("lint lets nobody spread an object literal, and everything else", async () => {
  const found = await complainedOf([...FORBIDDEN, ...ALLOWED]);
  expect(found).toEqual(FORBIDDEN.map((_, index) => index + 1));
});
