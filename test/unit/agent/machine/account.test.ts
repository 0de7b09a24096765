import { describe, expect, test } from "vitest";
import { ACCOUNT_NAME } from "../../../../agent/src/machine/account.ts";
import { passwdAccounts } from "../../../../agent/src/machine/linux/accounts.ts";
import type { Programs } from "../../../../agent/src/machine/programs.ts";
import { Undo } from "../../../../agent/src/machine/undo.ts";

/** A machine with these programs and users; what was run is kept. */
class FakeMachine implements Programs {
  readonly ran: string[] = [];
  readonly #tools: readonly string[];
  #passwd: string;

  constructor(tools: readonly string[], passwd = "root:x:0:0:root:/root:/bin/sh\n") {
    this.#tools = tools;
    this.#passwd = passwd;
  }

  async run(program: string, args: readonly string[]) {
    const last = args.at(-1) ?? "";
    if (program === "sh") return result(this.#tools.includes(last.split(" ").at(-1) ?? ""));
    if (program === "cat") return result(true, this.#passwd);
    if (!this.#tools.includes(program)) return result(false);
    if (program === "getent") return result(this.#passwd.includes(`${last}:`), this.#passwd);
    this.ran.push([program, ...args].join(" "));
    if (program === "useradd" || program === "adduser") this.#add(last, args);
    if (program === "userdel" || program === "deluser") this.#remove(last);
    return result(true);
  }

  #add(name: string, args: readonly string[]): void {
    const comment = args[Math.max(args.indexOf("--comment"), args.indexOf("-g")) + 1];
    this.#passwd += `${name}:x:998:997:${comment}:/var/lib/rport:/usr/sbin/nologin\n`;
  }

  #remove(name: string): void {
    const lines = this.#passwd.split("\n");
    this.#passwd = lines.filter((line) => !line.startsWith(`${name}:`)).join("\n");
  }
}

function result(isGood: boolean, stdout = "") {
  return { code: isGood ? 0 : 1, stdout, stderr: "" };
}

const TOOLS = {
  Debian: ["getent", "useradd", "userdel", "groupdel"],
  BusyBox: ["addgroup", "adduser", "deluser", "delgroup"],
};

describe.each(Object.entries(TOOLS))("an account on %s", (_, tools) => {
  test("is made when it is missing, and removed again", async () => {
    const machine = new FakeMachine(tools);
    const account = await passwdAccounts(machine).ensure("rport", new Undo());
    expect(account).toEqual({ name: "rport", owner: { uid: 998, gid: 997 }, isOurs: true });
    await passwdAccounts(machine).remove("rport");
    expect(await passwdAccounts(machine).find("rport")).toBeUndefined();
    expect(machine.ran.join("\n")).toMatch(/(groupdel|delgroup) rport$/);
  });

  test("is removed by an undo", async () => {
    const machine = new FakeMachine(tools);
    const undo = new Undo();
    await passwdAccounts(machine).ensure("rport", undo);
    expect(await undo.run()).toEqual([]);
    expect(await passwdAccounts(machine).find("rport")).toBeUndefined();
  });

  test("of somebody else is used and never removed", async () => {
    const machine = new FakeMachine(tools, "rport:x:7:8:RPort client:/:/bin/false\n");
    const undo = new Undo();
    const account = await passwdAccounts(machine).ensure("rport", undo);
    expect(account).toEqual({ name: "rport", owner: { uid: 7, gid: 8 }, isOurs: false });
    await undo.run();
    await passwdAccounts(machine).remove("rport");
    expect(machine.ran).toEqual([]);
  });
});

test("a name that begins like another one is not taken for it", async () => {
  const machine = new FakeMachine([], "rport2:x:5:5::/:/bin/sh\n");
  expect(await passwdAccounts(machine).find("rport")).toBeUndefined();
});

test.each(["rport", "_a", "a-b_1"])("%s is a name for an account", (name) => {
  expect(name).toMatch(ACCOUNT_NAME);
});

test.each([
  ["anna", "/bin/sh", undefined],
  ["anna", "", undefined],
  ["anna", "/usr/sbin/nologin", "whose shell is /usr/sbin/nologin"],
  ["anna", "/bin/false", "Nobody can log in"],
  ["anna", "/bin/no-such-shell", "whose shell is /bin/no-such-shell"],
  ["bob", "/bin/sh", "no account bob"],
  ["An na", "/bin/sh", "plain lower case"],
])("a terminal as %s, where anna's shell is %j", async (name, shell, why) => {
  const machine = new FakeMachine([], `anna:x:1000:1000:,,,:/home/anna:${shell}\n`);
  const whyNot = await passwdAccounts(machine).whyNoTerminal(name);
  if (why === undefined) expect(whyNot).toBeUndefined();
  else expect(whyNot).toContain(why);
});
