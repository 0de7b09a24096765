import { describe, expect, it } from "vitest";
import { leftOutText } from "../../../../extension/src/model/terminals/leftOut.ts";
import { client, offline } from "../entities.ts";

const ON = { terminal: { state: "on", accounts: ["root"] } };

describe("hosts that give no terminal", () => {
  it("are named in one sentence, by the reason", () => {
    const clients = [
      client("web", ON),
      client("shy-1", { terminal: { state: "off" } }),
      offline("gone", ON),
      client("shy-2", { terminal: { state: "off" } }),
      client("old"),
    ];
    expect(leftOutText(clients)).toBe(
      "No terminal on shy-1, shy-2 (not allowed there); gone (offline); old (unknown to its agent).",
    );
    expect(leftOutText([client("web", ON)])).toBeUndefined();
  });
});
