import { ENDPOINTS, type EndpointName } from "@rport/protocol/http";
import { ME_ENDPOINTS } from "@rport/protocol/people/meEndpoints";
import { SIGN_IN_ENDPOINTS } from "@rport/protocol/people/signInEndpoints";
import { USER_ENDPOINTS } from "@rport/protocol/people/userEndpoints";
import { describe, expect, it } from "vitest";
import { textOf } from "../../../support/repository.ts";

/** Rows of a section's table in the page: methods and path, and what they answer. */
function rows(title: string) {
  const [, section = ""] = textOf("docs/rport.md").split(`## ${title}\n`);
  const lines = (section.split("\n## ")[0] ?? "")
    .split("\n")
    .filter((line) => line.startsWith("| `"));
  return lines.flatMap((line) => {
    const [, first = "", answers = "", refusals = ""] = line
      .split(" | ")
      .flatMap((cell, at) => (at === 0 ? ["", cell] : [cell]));
    const [path = ""] = /\/[^`]*/.exec(first) ?? [];
    const methods = first.match(/GET|POST|PUT|DELETE/g) ?? [];
    const statuses = answers.match(/\b20\d\b/g) ?? [];
    return methods.map((method, at) => ({
      endpoint: `${method} ${path.replaceAll(/\{\w+\}/g, "{}")}`,
      status: Number(statuses[at] ?? statuses[0]),
      isBare: !answers.includes('"data"') && answers.includes("{"),
      refusals,
    }));
  });
}

const SIGN_IN = Object.keys({ ...SIGN_IN_ENDPOINTS, ...ME_ENDPOINTS }).filter(
  (name) => name !== "acceptInvitation" && name !== "getServerFace",
) as EndpointName[];
const PEOPLE = Object.keys(USER_ENDPOINTS) as EndpointName[];

describe.each([
  ["Sign-in", SIGN_IN],
  ["People", PEOPLE],
] as const)("the page about RPort, under %s,", (title, names) => {
  it("has a row for each endpoint, with the status and the envelope of the contract", () => {
    const told = rows(title).map((row) => `${row.endpoint} ${row.status} ${row.isBare}`);
    const real = names.map((name) => {
      const endpoint: { method: string; path: string; status: number; isBare?: boolean } =
        ENDPOINTS[name];
      const { method, path, status, isBare = false } = endpoint;
      return `${method} ${path.replaceAll(/:\w+/g, "{}")} ${status} ${isBare}`;
    });
    expect(told.toSorted()).toEqual(real.toSorted());
  });

  it("names a refusal without a token for each of them", () => {
    for (const { refusals } of rows(title)) expect(refusals).toContain("401");
  });
});
