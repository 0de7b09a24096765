import { describe, expect, it } from "vitest";
import type { Figure } from "../../../../backend/src/health/figure.ts";
import { Figures } from "../../../../backend/src/health/figures.ts";

/** A figure that reads as long as the test says. */
function slow(kind: Figure["kind"], name: string) {
  const reads: PromiseWithResolvers<void>[] = [];
  const read = async () => {
    const one = Promise.withResolvers<void>();
    reads.push(one);
    await one.promise;
    return [{ labels: { kind: "a" }, value: 7 }];
  };
  const figure: Figure = { kind, name, help: "Things.", labels: ["kind"], read };
  return { figure, reads };
}

describe("F-28 figures that two ask for at once", () => {
  it.each(["counter", "gauge"] as const)("are what a %s says, for both", async (kind) => {
    const { figure, reads } = slow(kind, "things");
    const figures = new Figures([figure]);
    const both = [figures.text(), figures.text()];
    expect(reads).toHaveLength(2);
    for (const { resolve } of reads) resolve();
    for (const { text } of await Promise.all(both)) {
      expect(text).toContain('rport_things{kind="a"} 7\n');
    }
  });

  it.each(["counter", "gauge"] as const)("keep a %s while one waits longer", async (kind) => {
    const first = slow(kind, "things");
    const other = slow("gauge", "others");
    const figures = new Figures([first.figure, other.figure]);
    const one = figures.text();
    first.reads[0]?.resolve();
    other.reads[0]?.resolve();
    const two = figures.text();
    expect((await one).text).toContain('rport_things{kind="a"} 7\n');
    first.reads[1]?.resolve();
    other.reads[1]?.resolve();
    expect((await two).text).toContain('rport_things{kind="a"} 7\n');
  });
});
