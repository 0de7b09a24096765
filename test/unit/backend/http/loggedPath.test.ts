import { describe, expect, it } from "vitest";
import { loggedPath } from "../../../../backend/src/http/rawQuery.ts";

const SECRET = "kG0w9c2fJ4m8Qx7zT1yV5bN3sR6uE-aD_hLpKoIjMnB";

describe("what is logged of a request's target", () => {
  it("is its path without the query", () => {
    expect(loggedPath("/api/v1/clients/web-09?access_token=x")).toBe("/api/v1/clients/web-09");
  });

  it.each([
    ["of the backend", SECRET],
    ["of a person", `Ab3dEf9h_${SECRET}`],
    ["of a session", `eyJhbGciOiJIUzI1NiJ9.eyJqdGkiOiJhIn0.${SECRET}`],
  ])("S-23: holds no token %s, not even the beginning of one where it is cut", (_whose, token) => {
    for (const filler of [0, 100, 150, 170, 186, 189, 192, 500]) {
      const logged = loggedPath(`/api/${"x/".repeat(filler / 2)}${token}`);
      expect(logged).not.toContain(token.slice(0, 9));
      expect(logged).not.toContain("kG0w");
      expect(logged.length).toBeLessThanOrEqual(201);
    }
  });
});
