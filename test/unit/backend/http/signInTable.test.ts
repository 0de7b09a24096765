import { ENDPOINTS, type EndpointName } from "@rport/protocol/http";
import { ME_ENDPOINTS } from "@rport/protocol/people/meEndpoints";
import { SIGN_IN_ENDPOINTS } from "@rport/protocol/people/signInEndpoints";
import { describe, expect, it } from "vitest";
import { textOf } from "../../../support/repository.ts";

/** Rows of the table in the page: methods and path, and what they answer. */
function rows() {
  const [, section = ""] = textOf("docs/rport.md").split("## Sign-in\n");
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
      endpoint: `${method} ${path.replace("{prefix}", ":prefix")}`,
      status: Number(statuses[at] ?? statuses[0]),
      isBare: !answers.includes('"data"') && answers.includes("{"),
      refusals,
    }));
  });
}

const NAMES = Object.keys({ ...SIGN_IN_ENDPOINTS, ...ME_ENDPOINTS }).filter(
  (name) => name !== "acceptInvitation" && name !== "getServerFace",
) as EndpointName[];

describe("the page about RPort's sign-in", () => {
  it("has a row for each endpoint, with the status and the envelope of the contract", () => {
    const told = rows().map(({ endpoint, status, isBare }) => `${endpoint} ${status} ${isBare}`);
    const real = NAMES.map((name) => {
      const endpoint: { method: string; path: string; status: number; isBare?: boolean } =
        ENDPOINTS[name];
      const { method, path, status, isBare = false } = endpoint;
      return `${method} ${path} ${status} ${isBare}`;
    });
    expect(told.toSorted()).toEqual(real.toSorted());
  });

  it("names a refusal without a token for each of them", () => {
    for (const { refusals } of rows()) expect(refusals).toContain("401");
  });
});
