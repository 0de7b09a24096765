import { describe, expect, it } from "vitest";
import { Limits } from "../../../../backend/src/limits/limits.ts";
import { LIMIT_NAMES, LIMITS } from "../../../../backend/src/limits/limitTable.ts";
import { FakeClock } from "../../../support/clock.ts";
import { testLog } from "../../../support/log.ts";
import { textOf } from "../../../support/repository.ts";

function setUp(values = {}) {
  const clock = new FakeClock();
  const { log, lines } = testLog();
  return { clock, lines, limits: new Limits({ values, clock, log }) };
}

describe("limits", () => {
  it("are as the table has them unless somebody set them", () => {
    const { limits } = setUp({ pending_sockets: 7 });
    expect(limits.max("pending_sockets")).toBe(7);
    const { usual } = LIMITS.pending_sockets_per_network;
    expect(limits.max("pending_sockets_per_network")).toBe(usual);
  });

  it("count every bite, and log one a minute with how many there were", async () => {
    const { clock, lines, limits } = setUp({ pending_sockets: 7 });
    for (let i = 0; i < 5; i += 1) limits.bite("pending_sockets", { address: "192.0.2.1" });
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({
      message: "a limit was met",
      limit: "pending_sockets",
      max: 7,
      times: 1,
      address: "192.0.2.1",
    });
    clock.advance(60_000);
    limits.bite("pending_sockets");
    expect(JSON.parse(lines[1] ?? "")).toMatchObject({ times: 5 });
    expect(limits.states()).toContainEqual(
      expect.objectContaining({ name: "pending_sockets", bites: 6 }),
    );
  });

  it("know what is used where somebody says so", () => {
    const { limits } = setUp();
    limits.watch("pending_sockets", () => 3);
    const states = new Map(limits.states().map((state) => [state.name, state]));
    expect(states.get("pending_sockets")?.used).toBe(3);
    expect(states.get("pending_sockets_per_network")?.used).toBeUndefined();
  });

  it("allow their usual value", () => {
    for (const { usual, least, most } of Object.values(LIMITS)) {
      expect(usual).toBeGreaterThanOrEqual(least);
      expect(usual).toBeLessThanOrEqual(most);
    }
  });
});

describe("the page about the configuration", () => {
  const ROW = /^\| `([a-z_]+)` \| ([\d,]+) \| ([^|]+) \|$/gm;

  it("has a row for each limit, with its usual value, and no other", () => {
    const section = textOf("docs/configuration.md").split("### Limits")[1]?.split("\n## ")[0] ?? "";
    const rows = [...section.matchAll(ROW)].map(([, name, usual]) => [
      name,
      Number(usual?.replaceAll(",", "")),
    ]);
    expect(rows).toEqual(LIMIT_NAMES.map((name) => [name, LIMITS[name].usual]));
  });
});
