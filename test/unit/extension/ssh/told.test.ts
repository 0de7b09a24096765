import { RportError } from "@rport/protocol/errors";
import { describe, expect, it, vi } from "vitest";
import type { Answer } from "../../../../extension/src/ssh/bridge/askEditors.ts";
import { EXIT, exitCodeOf } from "../../../../extension/src/ssh/bridge/exitCode.ts";
import { aliasesIn, configText } from "../../../../extension/src/ssh/config/configText.ts";
import type { Findable } from "../../../../extension/src/ssh/findHost.ts";
import { type Host, handleOf, nameHosts } from "../../../../extension/src/ssh/hosts.ts";
import { waitTold } from "../../../../extension/src/ssh/waitTold.ts";
import { whyUntold } from "../../../../extension/src/ssh/whyUntold.ts";
import { FakeClock } from "../../../support/clock.ts";
import { findable } from "./findable.ts";

const RELAY = { serverKey: "https://relay.example.com", serverName: "Relay" };
const NO_ROOM = "ssh is not told of this host, since there is no room for all hosts.";

function host(id: string, name = "", hostname = ""): Host {
  return { ...RELAY, id, name, hostname };
}

const WEB = host("f00d", "web-01", "ip-10-0-0-1");

/** Why `ssh` was told of no host of this name, where it was told of some, and whether whoever tells it hurries. */
async function why(asked: string, hosts: Findable, written: readonly Host[] | "noRoom") {
  const named = written === "noRoom" ? [] : written;
  const { text } = configText({
    names: nameHosts(named),
    userOf: () => undefined,
    launcher: "/l",
  });
  const hurry = vi.fn();
  const aliasesOf = async (handle: string) => aliasesIn(text, handle, undefined);
  const isLeft = () => written === "noRoom";
  const { message } = await whyUntold(asked, hosts, { aliasesOf, isLeft, hurry });
  return { message, isHurried: hurry.mock.calls.length > 0 };
}

describe("why ssh was told of no host of a name", () => {
  it("is that it is about to be told, and then it is without delay", async () => {
    const soon = (name: string) => `ssh will be told of ${name} in a moment: try again.`;
    const all = findable([WEB]);
    const hurried = { message: soon("web-01.rport"), isHurried: true };
    expect(await why("web-01.rport", all, [])).toEqual(hurried);
    // it was, while ssh asked
    expect(await why("web-01.rport", all, [WEB])).toEqual(hurried);
    expect(await why("web-01.rport", all, [{ ...WEB, name: "old" }])).toEqual(hurried);
  });

  it("is that capitals count, where it was told of the same name but for those", async () => {
    const message = "ssh takes small letters and capitals for different ones: type web-01.rport.";
    expect(await why("WEB-01.rport", findable([WEB]), [WEB])).toEqual({
      message,
      isHurried: false,
    });
    const ip = "ssh takes small letters and capitals for different ones: type ip-10-0-0-1.rport.";
    expect((await why("IP-10-0-0-1.rport", findable([WEB]), [WEB])).message).toBe(ip);
  });

  it.each([
    ["that no file can hold", "büro", "büro.rport"],
    ["that is too long", "x".repeat(64), `${"x".repeat(64)}.rport`],
  ])("is that it knows the host by another one, for a name %s", async (_, name, asked) => {
    const office = host("f00d", name);
    expect(await why(asked, findable([office]), [office])).toEqual({
      message: `ssh is told of ${asked} as f00d.rport.`,
      isHurried: false,
    });
  });

  it("is that it knows the host by a shorter one, for a name that there was no room for", async () => {
    const hurry = vi.fn();
    const aliasesOf = async () => ["web-01.rport", handleOf(WEB)];
    const told = { aliasesOf, isLeft: () => false, hurry };
    const { message } = await whyUntold("ip-10-0-0-1.rport", findable([WEB]), told);
    expect(message).toBe("ssh is told of ip-10-0-0-1.rport as web-01.rport.");
    expect(hurry).not.toHaveBeenCalled();
  });

  it("is that there is no room for the host", async () => {
    const said = { message: NO_ROOM, isHurried: false };
    expect(await why("web-01.rport", findable([WEB]), "noRoom")).toEqual(said);
    const many = { all: [host("beef")], everyone: [host("beef"), WEB] };
    for (const asked of ["web-01.rport", "f00d.rport", handleOf(WEB)]) {
      expect(await why(asked, many, many.all)).toEqual(said);
    }
  });

  it("S-55: is no name of a server's that a host takes which is too many for ssh", async () => {
    const own = {
      ...host("beef", "db"),
      serverKey: "https://prod.example.com",
      serverName: "Prod",
    };
    const thief = host("evil", "db.prod");
    const many = { all: [own], everyone: [own, thief] };
    expect((await why("db.prod.rport", many, [])).message).toContain("in a moment");
    const gone = { all: [{ ...own, name: "" }], everyone: [{ ...own, name: "" }, thief] };
    expect((await why("db.prod.rport", gone, [])).message).toContain("No host is called");
  });

  it("is that other hosts have its handle, which nobody is to type then", async () => {
    const twins = [host("f00d", "one"), host("f00d", "other")];
    const { message } = await why("one.rport", findable(twins), twins);
    expect(message).toMatch(/^Several hosts are called f00d\./);
  });
});

describe("waiting until ssh is told of a host", () => {
  /** Waits on a clock of its own, of which as much passes as it takes. */
  async function waited(askWriter: () => Answer, toldAtMs = Number.POSITIVE_INFINITY) {
    const clock = new FakeClock();
    const aliasesOf = async () => (clock.monotonic() >= toldAtMs ? ["web-01.rport"] : []);
    const asked = vi.fn(async () => askWriter());
    let isOver = false;
    const ended = waitTold("f00d.rport", { aliasesOf, askWriter: asked, clock })
      .catch((error: Error) => error.message)
      .finally(() => {
        isOver = true;
      });
    while (!isOver) {
      await new Promise((resolve) => setImmediate(resolve));
      clock.advance(50);
    }
    return { ended: await ended, tookMs: clock.monotonic(), asked: asked.mock.calls.length };
  }

  const said = (error: RportError): Answer => ({
    kind: "stopped",
    exitCode: exitCodeOf(error.code),
    why: error.message,
  });
  const soon = said(new RportError("UNAVAILABLE", "In a moment."));

  it("asks whoever writes to hurry, once a second, and takes as long as that does", async () => {
    const { ended, asked } = await waited(() => soon, 40_000);
    expect(ended).toBe("web-01.rport");
    expect(asked).toBe(40);
  });

  it("asks nobody where ssh is told already", async () => {
    expect(await waited(() => soon, 0)).toMatchObject({ ended: "web-01.rport", asked: 0 });
  });

  it("ends at once where there is no room", async () => {
    const full = said(new RportError("TOO_LARGE", NO_ROOM));
    const { ended, tookMs } = await waited(() => full);
    expect(ended).toBe(NO_ROOM);
    expect(tookMs).toBeLessThan(1_000);
  });

  it.each<readonly [string, Answer]>([
    ["is there", "nobody"],
    ["has this version", "hungUp"],
    ["knows the host", { kind: "stopped", exitCode: EXIT.noClient, why: "No host is called so." }],
  ])("ends after fifteen seconds where no window %s that writes", async (_, answer) => {
    const { ended, tookMs } = await waited(() => answer);
    expect(ended).toMatch(/^No window of the editor has told ssh of this client/);
    expect(Math.round(tookMs / 1_000)).toBe(15);
  });

  it("ends after a minute where it is always about to be", async () => {
    const { ended, tookMs } = await waited(() => soon);
    expect(ended).toBe("In a moment.");
    expect(Math.round(tookMs / 1_000)).toBe(60);
  });
});
