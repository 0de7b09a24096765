import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { allFiles, FOLDERS, ROOT, textOf } from "../support/repository.ts";

const files = allFiles();
const folders = new Set(files.flatMap(foldersOf));

/** The changelog tells of files as they were. */
const pages = files.filter((file) => file.endsWith(".md") && !file.endsWith("CHANGELOG.md"));

/** What is written as code or as the target of a link. */
const SPAN = /`([^`\n]+)`/g;
/** A block of commands or output, and the tests that are named in one. */
const BLOCK = /^```[\s\S]*?^```/gm;
const TEST = /\btest\/[\w./-]*\.ts\b/g;
const LINK = /\]\(([^)\s]+)\)/g;
/** Something in code that can only be a file of sources, or a folder. */
const SOURCE = /^[\w@.-]+(\/[\w@.-]+)*\.(ts|mjs|sh|cjs)$/;
const FOLDER = /^[\w@.-]+(\/[\w@.-]+)*\/$/;
/** Everything that can hold a comment. */
const TEXT = /\.(ts|mjs|cjs|sh|css|json|toml|md)$|^\.ci\/|^[^.]+$/;
/** Names of what is made elsewhere: the agent as it is installed on a host. */
const INSTALLED = /^(\/|DIR\/)/;

/** Every folder above a file. */
function foldersOf(file: string): string[] {
  const parts = file.split("/").slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join("/"));
}

function isKnown(path: string): boolean {
  const name = path.replace(/\/$/, "");
  const all = path.endsWith("/") ? [...folders] : [...files, ...folders];
  return all.some((one) => one === name || one.endsWith(`/${name}`));
}

function isPath(text: string): boolean {
  if (INSTALLED.test(text) || /[\s<>{}*]/.test(text)) return false;
  const [top = ""] = text.split("/");
  return SOURCE.test(text) || FOLDER.test(text) || (text.includes("/") && FOLDERS.includes(top));
}

function pathsIn(page: string): string[] {
  const spans = [...textOf(page).matchAll(SPAN)].map(([, text]) => text ?? "");
  return [...spans.filter(isPath), ...testsIn(page)];
}

/** The tests that somebody would run who copies a command from the page. */
function testsIn(page: string): string[] {
  const blocks = textOf(page).match(BLOCK) ?? [];
  return blocks.flatMap((block) => block.match(TEST) ?? []);
}

function linksIn(page: string): string[] {
  return [...textOf(page).matchAll(LINK)]
    .map(([, target]) => target?.split("#")[0] ?? "")
    .filter((target) => target !== "" && !/^[a-z]+:/.test(target));
}

describe("the pages", () => {
  it("are looked for everywhere", () => {
    for (const page of ["CONTRIBUTING.md", "README.md", "docs/architecture.md"]) {
      expect(pages).toContain(page);
    }
    expect(pages.flatMap(pathsIn).length).toBeGreaterThan(100);
    expect(testsIn("CONTRIBUTING.md").length).toBeGreaterThan(0);
  });

  it.each(pages)("lead to files and folders that exist: %s", (page) => {
    expect(pathsIn(page).filter((path) => !isKnown(path))).toEqual([]);
    const home = join(ROOT, dirname(page));
    expect(linksIn(page).filter((target) => !existsSync(join(home, target)))).toEqual([]);
  });
});

describe("what cites a document", () => {
  /** A page by its name, or another document by its name and the number of a section. */
  const PAGE = /[\w-]+\.md\b/g;
  const SECTION = /\([a-z]+(?:-[a-z]+)+ \d+[^)]*\)/g;
  const names = new Set(files.map((file) => basename(file)));

  it("cites one that is in this repository", () => {
    const texts = files.filter((file) => TEXT.test(file) && file !== "package-lock.json");
    const cited = texts.flatMap((file) => {
      const text = textOf(file);
      const missing = [...text.matchAll(PAGE)].filter(([name]) => !names.has(name));
      return [...missing, ...text.matchAll(SECTION)].map(([name]) => `${name} in ${file}`);
    });
    expect(cited).toEqual([]);
  });
});
