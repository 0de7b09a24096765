import { restAnswer } from "@rport/protocol/restClient";
import { describe, expect, it } from "vitest";

describe("the answer of an endpoint", () => {
  it("is what stands in the envelope", async () => {
    const answer = Response.json({ data: { ip: "192.0.2.1" } });
    expect(await restAnswer("getMyAddress", answer)).toEqual({ ip: "192.0.2.1" });
  });

  it("is all of it where RPort answers without an envelope", async () => {
    const answer = Response.json({ totp_key_status: "pending" });
    expect(await restAnswer("getTotpSecret", answer)).toEqual({ totp_key_status: "pending" });
  });

  it.each([
    ["getMyAddress", { ip: "192.0.2.1" }],
    ["getTotpSecret", { data: { totp_key_status: "pending" } }],
  ] as const)("is an error where it has another shape: %s", async (name, answer) => {
    const failed = await restAnswer(name, Response.json(answer)).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: "INTERNAL" });
  });
});
