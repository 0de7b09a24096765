import { expect, it } from "vitest";
import {
  answersPingTwice,
  parseAgentVersion,
} from "../../../../../backend/src/clients/session/agentVersion.ts";

it.each([
  ["0.9.14", [0, 9, 14]],
  ["0.0.0-src", [0, 0, 0]],
  ["v1.2.3", [1, 2, 3]],
  ["1", [1]],
  ["1.0.0+build.5", [1, 0, 0]],
])("reads the version %s", (text, numbers) => expect(parseAgentVersion(text)).toEqual(numbers));

it.each(["", "latest", "1.", ".1", "1..2", "1.2.3 ", "1.2.3-", `${"9".repeat(40)}`, "1.2.3-a b"])(
  "does not take %j for a version",
  (text) => expect(parseAgentVersion(text)).toBeUndefined(),
);

it.each([
  ["0.8.1", false],
  ["0.8.2", true],
  ["0.9.6", true],
  ["0.9.7", false],
  ["1.0.0", false],
  ["0.0.0-src", false],
])("knows whether %s answers a ping twice: %s", (text, twice) => {
  expect(answersPingTwice(parseAgentVersion(text) ?? [])).toBe(twice);
});
