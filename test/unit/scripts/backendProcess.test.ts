import { describe, expect, it } from "vitest";
import backendProcess from "../../../scripts/lib/backendProcess.json" with { type: "json" };
import { instructionsOf, programOf, stagesOf } from "../../support/docker/dockerfile.ts";
import { filesBelow, textOf } from "../../support/repository.ts";

const UNITS = filesBelow("packaging/systemd", ".service");
const DOCKERFILE = "packaging/docker/Dockerfile";
const IMAGES = ["backend", "pairing"];

const flagsOf = (words: readonly string[]) => words.slice(1).filter((word) => /^--\w/.test(word));

describe("the flags with which Node runs the backend", () => {
  it.each(UNITS)("are those of %s", (unit) => {
    const [, line = ""] = /^ExecStart=(.*)$/m.exec(textOf(unit)) ?? [];
    const [before = ""] = line.split("/opt/rport/backend/src/main.ts");
    expect(flagsOf(before.trim().split(" "))).toEqual(backendProcess.flags);
  });

  it.each(IMAGES)("are those of the image %s", (image) => {
    const words = programOf(instructionsOf(stagesOf(DOCKERFILE), image), "ENTRYPOINT");
    expect(flagsOf(words)).toEqual(backendProcess.flags);
  });

  it("are some that Node names itself: another one could stop the start of a later Node", () => {
    expect(UNITS).toHaveLength(2);
    const names = backendProcess.flags.map((flag) => flag.replace(/=.*/, ""));
    expect(names.filter((name) => !process.allowedNodeEnvironmentFlags.has(name))).toEqual([]);
  });
});
