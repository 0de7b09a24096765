import { expect, it } from "vitest";
import { Canaries } from "../support/canaries.ts";

it.each([
  ["as it is", (text: string) => text],
  ["in hexadecimal digits", (text: string) => Buffer.from(text).toString("hex")],
  ["in base64 behind something else", (text: string) => btoa(`user:${text}`)],
  ["in base64 before something else", (text: string) => btoa(`{"a":"${text}","b":1}`)],
  ["in base64url", (text: string) => Buffer.from(`xy${text}`).toString("base64url")],
  ["in a URL", (text: string) => `/a?b=${encodeURIComponent(text)}`],
  ["in a form", (text: string) => new URLSearchParams({ text }).toString()],
  ["in JSON", (text: string) => JSON.stringify({ text })],
])("a canary is found %s, and not otherwise", (_, write) => {
  const secret = 'a "typed" one/100%?';
  const canaries = new Canaries();
  canaries.add("typed", secret);
  canaries.add("other", "another-secret");
  expect(canaries.in(`before ${write(secret)} after`)).toEqual(["typed"]);
  expect(canaries.in(write(secret), ["typed"])).toEqual([]);
  expect(canaries.in(write("nothing to be found"))).toEqual([]);
});
