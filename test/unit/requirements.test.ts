import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { filesBelow, ROOT, textOf } from "../support/repository.ts";

/** The form of an id: C-36, D-09, F-21, K-10, S-02, PAIR-12, S20, E11. */
const ID = /\b(?:[CDFKS]-\d{2}|PAIR-\d{1,2}|S\d{1,2}|E\d{2})\b/g;

/** A line of one of the tables: id, what must hold, what proves it. */
const ROW = /^\| ([A-Z]+-?\d+) \| ([^|]+) \| ([^|]+) \|$/gm;

/** What is not proven, which ends the last column, with what lacks or why. */
const NOT_YET = /not yet(?::\s*(.*))?$/;
/** The fewest words that say something. */
const REASON_WORDS = 2;

const rows = [...textOf("docs/requirements.md").matchAll(ROW)].map(([, id, rule, proof]) => ({
  id: id ?? "",
  rule: rule ?? "",
  proof: proof ?? "",
}));

const ids = rows.map(({ id }) => id);
const provenBy = (proof: string) =>
  [...proof.matchAll(/`([^`]+)`/g)].map(([, path = ""]) =>
    path.startsWith("test/") ? path : `test/${path}`,
  );
/** Files that a line names as proof: those after "not yet" only explain. */
const testsIn = (proof: string) => provenBy(proof.replace(NOT_YET, ""));

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
      .filter((path) => !existsSync(join(ROOT, path)));
    expect(missing).toEqual([]);
  });

  it("has for each requirement a test, or the reason why there is none", () => {
    const bare = rows.filter(({ proof }) => testsIn(proof).length === 0 && !NOT_YET.test(proof));
    expect(bare).toEqual([]);
  });

  it("says what lacks wherever it says that something is not proven yet", () => {
    const mute = rows.filter(({ proof }) => {
      const lack = NOT_YET.exec(proof);
      return lack !== null && (lack[1] ?? "").split(/\s+/).length < REASON_WORDS;
    });
    expect(mute).toEqual([]);
  });

  it("names tests that name the requirement", () => {
    const silent = rows.flatMap(({ id, proof }) =>
      testsIn(proof)
        .filter((path) => !new RegExp(`\\b${id}\\b`).test(textOf(path)))
        .map((path) => `${id} is not in ${path}`),
    );
    expect(silent).toEqual([]);
  });
});
