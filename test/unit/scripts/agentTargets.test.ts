import { describe, expect, it } from "vitest";
import { z } from "zod";
import { textOf } from "../../support/repository.ts";

/** Scripts have no types: they run before anything is installed. */
const script = (name: string) =>
  import(new URL(`../../../scripts/lib/agent/${name}`, import.meta.url).href);

const { hasIntegrity } = await script("runtimes.mjs");
const { executableOf, packageOf, pins, programOf, targets, targetsOf } =
  await script("targets.mjs");

const { version, integrity } = z
  .object({ version: z.string(), integrity: z.record(z.string(), z.string()) })
  .parse(pins);

describe("the targets of the agent", () => {
  it("are eight, each with a hash of its own for the package that Bun comes in", () => {
    expect(targets).toHaveLength(8);
    expect(Object.keys(integrity)).toEqual(targets);
    for (const hash of Object.values(integrity))
      expect(hash).toMatch(/^sha512-[A-Za-z0-9+/]{86}==$/);
    expect(new Set(Object.values(integrity)).size).toBe(8);
  });

  it("have the Bun of the lock file", () => {
    const { packages } = z
      .object({
        packages: z.record(
          z.string(),
          z.object({ version: z.string().optional(), integrity: z.string().optional() }),
        ),
      })
      .parse(JSON.parse(textOf("package-lock.json")));
    const locked = packages["node_modules/@oven/bun-linux-x64"];
    expect(locked).toEqual({ version, integrity: integrity["linux-x64"] });
  });

  it("have the names that installers and Bun's packages use", () => {
    expect(packageOf("linux-arm64-musl")).toBe("@oven/bun-linux-aarch64-musl");
    expect(executableOf("linux-arm64-musl")).toBe("rport-agent-linux-arm64-musl");
    expect(executableOf("windows-x64")).toBe("rport-agent-windows-x64.exe");
    expect(programOf("windows-arm64")).toBe("bun.exe");
    expect(programOf("darwin-x64")).toBe("bun");
  });

  it("are asked for by name or all at once, and a wrong name is told with the right ones", () => {
    expect(targetsOf([])).toEqual([]);
    expect(targetsOf(["windows-x64", "linux-arm64"])).toEqual(["linux-arm64", "windows-x64"]);
    expect(targetsOf(["linux-arm64", "all"])).toEqual(targets);
    expect(() => targetsOf(["linux-arm"])).toThrow(/"linux-arm".*linux-arm64.*all/);
  });

  it("are built from packages whose bytes have the written hash, and from no others", () => {
    const abc =
      "sha512-3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/uu9RU1EI2Q86A4qmslPpUyknw==";
    expect(hasIntegrity(Buffer.from("abc"), abc)).toBe(true);
    expect(hasIntegrity(Buffer.from("abd"), abc)).toBe(false);
    expect(hasIntegrity(Buffer.from("abc"), undefined)).toBe(false);
  });
});
