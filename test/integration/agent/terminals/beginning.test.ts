import { closeSync, fstatSync, openSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { platformOf } from "../../../../agent/src/machine/platformOf.ts";
import type { ShellAccount, Shells } from "../../../../agent/src/machine/shells.ts";
import type { PtyLibrary } from "../../../../agent/src/terminal/nodePty.ts";
import { HostViewer, openingOf } from "../../../support/agents/hostViewer.ts";
import { LIBRARY, startKeeping } from "../../../support/agents/keptTerminals.ts";

/** Of `startKeeping`. */
const max = 16;

/** A library whose programs begin, and whose terminals are no terminals. */
function withoutStreams() {
  const begun: number[] = [];
  const fork: PtyLibrary["fork"] = (...given) => {
    if (LIBRARY === undefined) throw new Error("there is no library");
    const made = LIBRARY.fork(...given);
    closeSync(made.fd);
    const fd = openSync("/dev/null", "r");
    begun.push(fd);
    return { ...made, fd };
  };
  return { library: { fork, resize: () => {} } satisfies PtyLibrary, begun };
}

/** A library whose programs see an empty `/proc`. */
function withoutProc(): PtyLibrary {
  const empty = ["--mount", "sh", "-c", 'mount -t tmpfs none /proc && exec "$@"', "sh"];
  return {
    fork: (file, args, ...rest) => {
      if (LIBRARY === undefined) throw new Error("there is no library");
      return LIBRARY.fork("/usr/bin/unshare", [...empty, file, ...args], ...rest);
    },
    resize: () => {},
  };
}

/** The shells of root on a system whose accounts come and go. */
async function changingAccounts() {
  const usual = platformOf(process.platform).shells;
  const own = await usual?.find();
  if (usual === undefined || own === undefined) throw new Error("this test needs an account");
  const accounts = new Map<string, ShellAccount>();
  const find = async (name = "") => accounts.get(name);
  const shells: Shells = { ...usual, mayBeOthers: () => true, find };
  return { own, accounts, shells };
}

describe.skipIf(LIBRARY === undefined)("a host begins a terminal", () => {
  it("as an account as it is now, and as none that is gone", async () => {
    const { own, accounts, shells } = await changingAccounts();
    accounts.set("one", { ...own, name: "one", home: "/" });
    await using host = await startKeeping({ accounts: ["one", "two"] }, { shells });
    expect(await host.terminals.offered()).toEqual({ state: "on", accounts: ["one"], max });
    const asked = (account: string) =>
      HostViewer.open(host.session, { wish: { kind: "new", account } });
    accounts.set("one", { ...own, name: "one", home: "/usr" });
    accounts.set("two", { ...own, name: "two", home: "/etc" });
    expect(await host.terminals.offered()).toEqual({ state: "on", accounts: ["one", "two"], max });
    for (const [account, home] of [["one", "/usr"] as const, ["two", "/etc"] as const]) {
      const viewer = await asked(account);
      await viewer.type("echo home=$(pwd)-\r");
      await viewer.untilText(`home=${home}-`);
    }
    accounts.delete("one");
    await expect(asked("one")).rejects.toThrow("this host allows no terminal as this account");
    expect((await HostViewer.open(host.session)).attached).toMatchObject({ account: "two" });
  });

  it("as an account that came after its agent had begun without any", async () => {
    const { own, accounts, shells } = await changingAccounts();
    await using host = await startKeeping({ accounts: ["late"] }, { shells });
    expect(await host.terminals.offered()).toEqual({ state: "accounts" });
    await expect(HostViewer.open(host.session)).rejects.toThrow("no terminal as this account");
    accounts.set("late", { ...own, name: "late", home: "/usr" });
    const viewer = await HostViewer.open(host.session);
    expect(viewer.attached).toMatchObject({ account: "late" });
    expect(await host.terminals.offered()).toEqual({ state: "on", accounts: ["late"], max });
    accounts.clear();
    expect(await host.terminals.offered()).toEqual({ state: "accounts" });
    const told = host.lines.filter((line) => /cannot be opened|are allowed.*late/.test(line));
    expect(told).toHaveLength(3);
  });

  it.each(["one of them", "all of them"])(
    "none that was ended while its account was looked up: %s",
    async (which) => {
      const usual = platformOf(process.platform).shells;
      const own = await usual?.find();
      if (usual === undefined || own === undefined) throw new Error("this test needs an account");
      const asked = Promise.withResolvers<void>();
      const answer = Promise.withResolvers<ShellAccount>();
      const answers = [Promise.resolve(own), answer.promise];
      const find = async () => {
        if (answers.length === 1) asked.resolve();
        return await answers.shift();
      };
      await using host = await startKeeping({}, { shells: { ...usual, find } });
      const opening = openingOf();
      const opened = HostViewer.open(host.session, { ...opening });
      const refused = expect(opened).rejects.toThrow("this host has no such terminal any more");
      await asked.promise;
      host.terminals.end(which === "all of them" ? undefined : opening.id, "forbidden");
      answer.resolve(own);
      await refused;
      expect(host.terminals.list()).toEqual([]);
    },
  );

  it("no more than it may have, also while accounts are looked up", async () => {
    await using host = await startKeeping({ max: 1 });
    const both = await Promise.allSettled([
      HostViewer.open(host.session),
      HostViewer.open(host.session),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  });

  it("none that the system gave and that cannot be read: it is given back", async () => {
    const { library, begun } = withoutStreams();
    await using host = await startKeeping({}, { library });
    await expect(HostViewer.open(host.session)).rejects.toThrow(/cannot open a terminal/);
    expect(begun).toHaveLength(1);
    for (const fd of begun) expect(() => fstatSync(fd)).toThrow(/EBADF/);
    expect(host.terminals.list()).toEqual([]);
  });

  it.skipIf(process.getuid?.() !== 0)("none where its open files cannot be told", async () => {
    await using host = await startKeeping({}, { library: withoutProc() });
    const viewer = await HostViewer.open(host.session);
    await viewer.untilText("/proc is not there");
    expect(await viewer.untilEnded()).toEqual({ how: "exit", code: 126 });
  });
});
