import { type HeldTerminal, heldTerminalSchema } from "@rport/protocol/terminal/terminal";
import { describe, expect, it } from "vitest";
import { Ends } from "../../../../agent/src/terminal/ends.ts";
import { keepsLastBytes } from "../../../../agent/src/terminal/findPty.ts";

function endOf(number: number): HeldTerminal {
  return heldTerminalSchema.parse({
    id: String(number).padStart(22, "0"),
    owner: "account-1",
    ownerName: "anna",
    account: "deploy",
    startedAtMs: 1,
    ended: { atMs: 2, end: { how: "exit", code: 0 } },
  });
}

describe("the ends of terminals", () => {
  it("wait until a server took them, and are told to the next that asks", async () => {
    const ends = new Ends(() => {});
    ends.add(endOf(1), undefined);
    const answers = [false, true];
    const stop = ends.listen({
      server: "main",
      tellEnd: async () => answers.shift() ?? false,
      settle: () => Promise.reject(new Error("the connection has ended")),
    });
    ends.add(endOf(2), "main");
    ends.add(endOf(3), "main");
    await ends.allTold();
    expect(ends.untold).toEqual([endOf(1), endOf(2)]);
    expect(ends.answered()).toEqual([endOf(1), endOf(2)]);
    await ends.allTold();
    expect(ends.untold).toHaveLength(2);
    stop();
    ends.listen({ server: "main", tellEnd: async () => true, settle: async () => {} });
    stop();
    expect(ends.answered()).toHaveLength(2);
    await ends.allTold();
    expect(ends.untold).toEqual([]);
  });

  it("are kept for the server that opened the terminal, whoever else hears of them, once", async () => {
    const ends = new Ends(() => {});
    const settle = async () => {};
    ends.add(endOf(1), "main");
    let stop = ends.listen({ server: "fallback", tellEnd: async () => true, settle });
    ends.add(endOf(2), "main");
    ends.add(endOf(3), "fallback");
    await ends.allTold();
    expect(ends.answered()).toEqual([endOf(1)]);
    await ends.allTold();
    expect(ends.answered()).toEqual([]);
    stop();
    stop = ends.listen({ server: "main", tellEnd: async () => true, settle });
    expect(ends.answered()).toEqual([endOf(1), endOf(2)]);
    await ends.allTold();
    stop();
    expect(ends.untold).toEqual([]);
  });

  it("are forgotten, the oldest first, where no server asks for years", () => {
    const forgotten: HeldTerminal[] = [];
    const ends = new Ends((ended) => void forgotten.push(ended));
    for (let number = 1; number <= 40; number += 1) ends.add(endOf(number), "main");
    expect(ends.untold).toHaveLength(32);
    expect(forgotten).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map(endOf));
  });
});

describe("a runtime", () => {
  it.each([
    ["1.46.0", false],
    ["1.51.0", false],
    ["1.52.0", true],
    ["1.52.1", true],
    ["2.0.0", true],
  ])("with libuv %s reads what programs write at last: %s", (version, isSo) => {
    expect(keepsLastBytes(version)).toBe(isSo);
  });
});
