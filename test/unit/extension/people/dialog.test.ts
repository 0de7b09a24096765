import { describe, expect, it } from "vitest";
import { secondFactorPage } from "../../../../extension/src/commands/people/secondFactorPage.ts";
import {
  type After,
  type Step,
  takeSteps,
} from "../../../../extension/src/commands/people/steps.ts";
import { endedLines } from "../../../../extension/src/model/rows/userRow.ts";

/** Takes steps that answer from lists; answers which were taken, and with which place. */
async function walk(answers: Readonly<Record<string, readonly (string | "back" | "done")[]>>) {
  const taken: string[] = [];
  const left = new Map(Object.entries(answers).map(([name, list]) => [name, [...list]]));
  const steps = new Map<string, Step>();
  const stepOf = (name: string): Step => {
    const known = steps.get(name);
    if (known !== undefined) return known;
    const step: Step = async ({ number, canGoBack }): Promise<After> => {
      taken.push(`${number}${canGoBack ? "<" : ""} ${name}`);
      const answer = left.get(name)?.shift() ?? "cancelled";
      if (answer === "back" || answer === "done" || answer === "cancelled") return { kind: answer };
      if (answer.startsWith("return ")) return { kind: "return", step: stepOf(answer.slice(7)) };
      return { kind: "next", step: stepOf(answer) };
    };
    steps.set(name, step);
    return step;
  };
  return { isDone: await takeSteps(stepOf("a")), taken };
}

describe("a dialog in several steps", () => {
  it("goes back, and on again, and counts truthfully", async () => {
    expect(await walk({ a: ["b", "b"], b: ["c", "back", "c"], c: ["back", "done"] })).toEqual({
      isDone: true,
      taken: ["1 a", "2< b", "3< c", "2< b", "1 a", "2< b", "3< c"],
    });
  });

  it("returns to the step that a mistake belongs to", async () => {
    expect(await walk({ a: ["b"], b: ["c", "c"], c: ["return b", "done"] })).toEqual({
      isDone: true,
      taken: ["1 a", "2< b", "3< c", "2< b", "3< c"],
    });
  });

  it("ends without anything when it is closed", async () => {
    expect((await walk({ a: ["b"] })).isDone).toBe(false);
  });
});

describe("the page with a new second factor", () => {
  const page = secondFactorPage({
    language: "de",
    name: `<b onclick="x">`,
    secret: "ABCDEFGHIJ",
    qr: "iVBORw0KGgo=",
    uri: "otpauth://totp/RPort:anna?secret=ABCDEFGHIJ&issuer=RPort",
    recovery_codes: ["aaaa-bbbb", "<script>"],
  });

  it("shows picture, key and recovery codes, and is alive in no way", () => {
    expect(page).toContain("data:image/png;base64,iVBORw0KGgo=");
    expect(page).toContain("ABCD EFGH IJ");
    expect(page).toContain("aaaa-bbbb");
    expect(page).not.toContain("<script>");
    expect(page).not.toContain("<b onclick");
    expect(page).toContain('<html lang="de">');
    expect(page).toMatch(/default-src 'none'; img-src data:; style-src 'sha256-/);
  });

  it("shows no picture that is none", () => {
    const parts = { language: "en", name: "x", secret: "A", uri: "", recovery_codes: [] };
    expect(secondFactorPage({ ...parts, qr: `"><img src=x>` })).not.toContain("<img");
  });
});

it("what a user's end ends is counted in words, without what there is none of", () => {
  const none = {
    tokens: 0,
    sessions: 0,
    sockets: 0,
    editor_connections: 0,
    pairings: 0,
    invitations: 0,
  };
  expect(endedLines(none)).toEqual([]);
  expect(endedLines({ ...none, tokens: 1, sockets: 2, editor_connections: 3 })).toEqual([
    "1 personal token",
    "2 open connections",
    "3 connections through tunnels",
  ]);
});
