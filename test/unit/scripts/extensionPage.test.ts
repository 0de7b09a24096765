import { existsSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

/** Scripts have no types: they run before anything is installed. */
const { pageOf } = await import(
  new URL("../../../scripts/lib/extensionPage.mjs", import.meta.url).href
);

const readme = readFileSync(new URL("../../../extension/README.md", import.meta.url), "utf8");
const pictures = [...readme.matchAll(/!\[.*?\]\((.*?)\)/g)].map(([, path]) => path ?? "");

it("the extension's page has pictures that are there", () => {
  expect(pictures.length).toBeGreaterThan(1);
  for (const path of pictures) {
    expect(existsSync(new URL(`../../../extension/${path}`, import.meta.url))).toBe(true);
  }
});

it("leaves them out where nobody could load them", () => {
  const page = pageOf(readme, undefined);
  expect(page).not.toContain("![");
  expect(page).toContain("\n## What you can do\n");
  expect(page.length).toBeGreaterThan(readme.length - 1_000);
});

it("has them below the root of the repository that the manifest names", () => {
  const page = pageOf(readme, "https://example.com/rport");
  for (const path of pictures) expect(page).toContain(`](${path.replace("../", "")})`);
  expect(page).not.toContain("../docs/images");
});
