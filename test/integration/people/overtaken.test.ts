import { expect, it } from "vitest";
import { startBackend } from "../../support/backend/backend.ts";
import { addUser, bearer, newToken, send, signIn } from "../../support/backend/person.ts";

it("a token that is changed with another one while that ends is no fault of the server", async () => {
  await using backend = await startBackend();
  await addUser(backend, "eve");
  const session = await signIn(backend, "eve");
  for (let n = 0; n < 10; n += 1) {
    const { token, prefix } = await newToken(backend, session);
    const [made, ended] = await Promise.all([
      send(backend, "POST /me/tokens", {
        authorization: bearer(token),
        json: { name: `made-${n}`, scope: "read+write" },
      }),
      send(backend, `DELETE /me/tokens/${prefix}`, { authorization: bearer(session) }),
    ]);
    expect(made.status).toBeLessThan(500);
    expect(ended.status).toBe(204);
  }
  const wrong = backend.logLines.filter((line) => line.includes('"level":"error"'));
  expect(wrong).toEqual([]);
});
