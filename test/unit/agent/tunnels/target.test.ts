import { describe, expect, it } from "vitest";
import { connectTo } from "../../../../agent/src/tunnels/target.ts";
import { refusingPort } from "../../../support/refusingPort.ts";

describe("C-29: a name with any number of addresses", () => {
  it("has eight of them tried", async () => {
    await using refusing = await refusingPort();
    const { port } = refusing;
    const address = (n: number) => `127.0.0.${n + 1}`;
    const others = Array.from({ length: 199 }, (_, n) => address(n + 1));
    const connecting = connectTo({ addresses: [address(0), ...others], port });
    await expect(connecting).rejects.toThrow(`${address(7)}:`);
  });
});
