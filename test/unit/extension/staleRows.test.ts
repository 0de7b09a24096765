import { describe, expect, it } from "vitest";
import type { Node } from "../../../extension/src/model/node.ts";
import { ALL, type Dirty } from "../../../extension/src/views/source.ts";
import { type Stale, StaleRows } from "../../../extension/src/views/staleRows.ts";
import { TunnelsSource } from "../../../extension/src/views/tunnels.ts";
import { FakeClock } from "../../support/clock.ts";
import { client, tunnel } from "./entities.ts";
import { fleetOf, RELAY } from "./fleetFixture.ts";

/** For an editor that is slow between its two questions. */
const SLOW_MS = 200;

/**
 * The tunnels view in an editor, as VS Code does it: when it is told to draw the tree it forgets the rows that it was
 * given, and whoever then asks for what is below one of them gets nothing.
 */
function editor() {
  const fixture = fleetOf(RELAY);
  fixture.fill(RELAY, { clients: [client("web")], tunnels: [tunnel("web", "1")] });
  const source = new TunnelsSource(fixture.context);
  const clock = new FakeClock();
  const known = new Set<Node>();
  const drawn: Stale[] = [];
  const stale = new StaleRows({
    clock,
    draw: (what) => {
      drawn.push(what);
      if (what === "all" || what === "roots") known.clear();
      return 0;
    },
  });
  const askRoots = (): readonly Node[] => {
    stale.answered();
    const roots = source.roots();
    for (const root of roots) known.add(root);
    return roots;
  };
  const askBelow = (node: Node) => (known.has(node) ? source.children(node) : []);
  const tell = (dirty: readonly Dirty[]) => stale.add(dirty);
  return { clock, drawn, stale, askRoots, askBelow, tell };
}

describe("what is to be drawn anew", () => {
  it("is not told to an editor that asks for all meanwhile: it would lose what is below the rows of the answer", () => {
    const { clock, drawn, askRoots, askBelow, tell } = editor();
    tell(ALL);
    clock.advance(20);
    const roots = askRoots();
    clock.advance(SLOW_MS);
    expect(roots.flatMap(askBelow)).toHaveLength(1);
    expect(drawn).toEqual([]);
  });

  it("is told when it changed after the editor had asked", () => {
    const { clock, drawn, askRoots, tell } = editor();
    askRoots();
    tell(ALL);
    clock.advance(SLOW_MS);
    expect(drawn).toEqual(["all"]);
  });
});
