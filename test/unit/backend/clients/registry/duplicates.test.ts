import { clientIdSchema } from "@rport/protocol/ids";
import { describe, expect, it } from "vitest";
import {
  DUPLICATE_KEPT_MS,
  Duplicates,
} from "../../../../../backend/src/clients/registry/duplicates.ts";
import { FakeClock } from "../../../../support/clock.ts";

const ID = clientIdSchema.parse("machine-1");
const CLAIMANT = { address: "192.0.2.7", hostname: "web02", sameHostKey: false };

function open() {
  const clock = new FakeClock();
  const touched: string[] = [];
  const touch = (_: "client", id: string) => void touched.push(id);
  return { clock, touched, duplicates: new Duplicates({ clock, touch }) };
}

describe("a host that claims the id of another one", () => {
  it("is counted, and told until it was not refused for a quarter of an hour", () => {
    const { clock, touched, duplicates } = open();
    duplicates.note(ID, CLAIMANT);
    clock.advance(DUPLICATE_KEPT_MS - 1);
    duplicates.note(ID, { ...CLAIMANT, address: "192.0.2.8" });
    clock.advance(DUPLICATE_KEPT_MS - 1);
    expect(duplicates.get(ID)).toMatchObject({ address: "192.0.2.8", hostname: "web02", count: 2 });
    expect(touched).toEqual([ID, ID]);
    clock.advance(1);
    expect(duplicates.get(ID)).toBeUndefined();
    expect(touched).toEqual([ID, ID, ID]);
  });

  it("pushes out the oldest one of a thousand, and leaves no timer behind", () => {
    const { clock, touched, duplicates } = open();
    for (let n = 0; n <= 1_000; n += 1) {
      duplicates.note(clientIdSchema.parse(`machine-${n}`), CLAIMANT);
    }
    expect(duplicates.get(clientIdSchema.parse("machine-0"))).toBeUndefined();
    expect(duplicates.get(ID)).not.toBeUndefined();
    expect(touched.filter((id) => id === "machine-0")).toHaveLength(2);
    duplicates.close();
    expect(clock.timers).toBe(0);
  });
});
