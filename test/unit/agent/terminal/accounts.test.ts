import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { ShellAccount } from "../../../../agent/src/machine/shells.ts";
import { createLog } from "../../../../agent/src/platform/log.ts";
import { Accounts } from "../../../../agent/src/terminal/accounts.ts";
import { FakeClock } from "../../../support/clock.ts";

const IN_TIME_MS = 5_000;

const accountOf = (name: string): ShellAccount => ({ name, ids: undefined, home: "", shell: "" });

/** Accounts of `root`, which is in a file, and of `anna`, whom a directory knows as long as it answers. */
function withDirectory() {
  const clock = new FakeClock();
  const lines: string[] = [];
  const log = createLog({ level: "debug", clock, write: (line) => void lines.push(line) });
  const state: { directory: () => Promise<ShellAccount | undefined> } = {
    directory: async () => accountOf("anna"),
  };
  const find = async (name = "") => (name === "root" ? accountOf("root") : state.directory());
  const open = (names: readonly string[] = ["root", "anna"]) =>
    new Accounts({ shells: { find }, names, clock, log });
  return { clock, lines, state, open };
}

/** The names, where what answers at once has answered and the rest is waited for no longer. */
async function namesLater(accounts: Accounts, clock: FakeClock): Promise<readonly string[]> {
  const names = accounts.names();
  await setImmediate();
  clock.advance(IN_TIME_MS);
  return await names;
}

describe("the accounts of terminals", () => {
  it("are those of the last time where a directory does not answer in time", async () => {
    const { clock, lines, state, open } = withDirectory();
    const accounts = open();
    expect(await accounts.names()).toEqual(["root", "anna"]);
    expect(clock.timers).toBe(0);
    state.directory = () => new Promise(() => {});
    expect(await namesLater(accounts, clock)).toEqual(["root", "anna"]);
    expect(lines.join("\n")).toMatch(/cannot be looked up in time.*anna/);
    state.directory = async () => undefined;
    expect(await accounts.names()).toEqual(["root"]);
    state.directory = () => new Promise(() => {});
    expect(await namesLater(accounts, clock)).toEqual(["root"]);
  });

  it("are those of the last time where one cannot be looked up, which is said, and is not as if it were not there", async () => {
    const { lines, state, open } = withDirectory();
    const accounts = open();
    await accounts.names();
    state.directory = () => Promise.reject(new Error("no descriptor is left"));
    expect(await accounts.names()).toEqual(["root", "anna"]);
    expect(lines.join("\n")).toMatch(/cannot be looked up.*no descriptor is left/);
    expect(lines.join("\n")).not.toContain("is not there");
    await expect(accounts.find("anna")).rejects.toThrow("no descriptor is left");
    expect(await accounts.find("root")).toEqual(accountOf("root"));
    expect(await accounts.find(undefined)).toEqual(accountOf("root"));
    expect(await accounts.find("bert")).toBeUndefined();
  });

  it("that cannot be looked up at first are not said to be missing, and give nobody another one's shell", async () => {
    const { lines, state, open } = withDirectory();
    state.directory = () => Promise.reject(new Error("no descriptor is left"));
    const accounts = open(["anna", "root"]);
    expect(await accounts.names()).toEqual(["root"]);
    await expect(accounts.find(undefined)).rejects.toThrow("no descriptor is left");
    const alone = open(["anna"]);
    expect(await alone.names()).toEqual([]);
    expect(alone.whyNone).toBe("system");
    expect(lines.join("\n")).toContain("no account can be looked up");
    expect(lines.join("\n")).not.toContain("is not there");
    state.directory = async () => undefined;
    expect(await alone.names()).toEqual([]);
    expect(alone.whyNone).toBe("accounts");
  });

  it("are the others where a directory has not answered yet", async () => {
    const { clock, state, open } = withDirectory();
    state.directory = () => new Promise(() => {});
    expect(await namesLater(open(), clock)).toEqual(["root"]);
  });

  it("are found by what a directory calls them, and it is not said that they are not there", async () => {
    const { lines, state, open } = withDirectory();
    state.directory = async () => accountOf("anna@example.org");
    const accounts = open();
    expect(await accounts.names()).toEqual(["root", "anna@example.org"]);
    expect(await accounts.find("anna@example.org")).toEqual(accountOf("anna@example.org"));
    expect(await accounts.find("bert")).toBeUndefined();
    expect(lines.join("\n")).not.toContain("is not there");
  });
});
