import { closest } from "@rport/protocol/closest";
import { describe, expect, it } from "vitest";

const NAMES = ["keep_alive", "keep_alive_timeout", "tags", "server", "id", "address"];

describe("what somebody may have meant", () => {
  it.each([
    ["keepalive", "keep_alive"],
    ["tgas", "tags"],
    ["sever", "server"],
    ["Keep-Alive", "keep_alive"],
    ["adress", "address"],
    ["colour", undefined],
    ["tier", undefined],
    ["x", undefined],
  ])("%s: %s", (written, expected) => {
    expect(closest(written, NAMES)).toBe(expected);
  });
});
