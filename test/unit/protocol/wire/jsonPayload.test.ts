import { parseJsonPayload, toJsonPayload } from "@rport/protocol/wire/jsonPayload";
import { expect, it } from "vitest";

it("what is longer than it may be is not parsed, and what is no JSON is nothing", () => {
  const payload = toJsonPayload({ open: true });
  expect(parseJsonPayload(payload, payload.length)).toEqual({ open: true });
  expect(parseJsonPayload(payload, payload.length - 1)).toBeUndefined();
  expect(parseJsonPayload(Buffer.from("{"), 100)).toBeUndefined();
});
