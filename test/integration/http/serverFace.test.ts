import { API_PREFIX } from "@rport/protocol/http";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";
import { PASSWORD } from "../../support/backend/person.ts";

let backend: RunningBackend;
beforeAll(async () => {
  backend = await startBackend();
});
afterAll(() => backend[Symbol.asyncDispose]());

it.each([
  ["nothing", {}],
  ["a token that is none", { authorization: "Bearer wrong" }],
])("tells its key, and no more, to strangers who show %s", async (_, headers) => {
  const answer = await fetch(`${backend.url}${API_PREFIX}/server`, { headers });
  expect(answer.status).toBe(200);
  expect(await answer.json()).toEqual({
    data: {
      fingerprint_sha256: backend.fingerprint,
      sign_in: { password: false, invitation: true },
    },
  });
});

it("tells strangers that there are users who sign in with a password, once there are", async () => {
  const body = { username: "anna", password: PASSWORD };
  await backend.api("createUser", { body });
  const answer = await fetch(`${backend.url}${API_PREFIX}/server`);
  expect(await answer.json()).toMatchObject({ data: { sign_in: { password: true } } });
});
