import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { filesBelow, ROOT, textOf } from "../support/repository.ts";

/** The form of an id: C-36, D-09, F-21, S-02, PAIR-12, S20, E11. */
const ID = /\b(?:[CDFS]-\d{2}|PAIR-\d{1,2}|S\d{1,2}|E\d{2})\b/g;

/** A line of one of the tables: id, what must hold, what proves it. */
const ROW = /^\| ([A-Z]+-?\d+) \| ([^|]+) \| ([^|]+) \|$/gm;

const rows = [...textOf("docs/requirements.md").matchAll(ROW)].map(([, id, rule, proof]) => ({
  id: id ?? "",
  rule: rule ?? "",
  proof: proof ?? "",
}));

const ids = rows.map(({ id }) => id);
const provenBy = (proof: string) => [...proof.matchAll(/`([^`]+)`/g)].map(([, path]) => path ?? "");

/** Every id that a file names, with the file. */
function idsIn(folder: string): string[] {
  const files = filesBelow(folder, ".ts");
  return files.flatMap((file) => [...textOf(file).matchAll(ID)].map(([id]) => `${id} in ${file}`));
}

describe("the page about the requirements", () => {
  it("has rows, each with an id of its own", () => {
    expect(rows.length).toBeGreaterThan(100);
    expect(ids).toEqual([...new Set(ids)]);
  });

  it.each(["test", "backend", "agent", "extension", "webview-ui"])(
    "knows every id that is named in %s/",
    (folder) => {
      const unknown = idsIn(folder).filter((found) => !ids.includes(found.split(" ")[0] ?? ""));
      expect(unknown).toEqual([]);
    },
  );

  it("names tests that exist", () => {
    const missing = rows
      .flatMap(({ proof }) => provenBy(proof))
      .filter((path) => !existsSync(join(ROOT, path.startsWith("test/") ? "" : "test", path)));
    expect(missing).toEqual([]);
  });

  it("says for each requirement what proves it, or that nothing does yet", () => {
    const empty = rows.filter(
      ({ proof }) => provenBy(proof).length === 0 && !/^not yet/.test(proof),
    );
    expect(empty).toEqual([]);
  });
});
