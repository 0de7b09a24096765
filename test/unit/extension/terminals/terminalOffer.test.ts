import { describe, expect, it } from "vitest";
import { clientRow } from "../../../../extension/src/model/rows/clientRow.ts";
import {
  ALLOWING_COMMAND,
  ALLOWING_LINES,
  accountsOf,
  whyNoTerminal,
} from "../../../../extension/src/model/terminals/terminalOffer.ts";
import { ownEnvironment } from "../../../../extension/src/terminals/ownEnvironment.ts";
import { TerminalMemory } from "../../../../extension/src/terminals/terminalMemory.ts";
import { client, offline } from "../entities.ts";
import { FakeMemento } from "../memento.ts";
import { offersOf } from "../people/menus.ts";

const ON = { state: "on", accounts: ["root", "deploy"] };
const COMMAND = "rport.client.openTerminal";

/** How often a row's menus offer a terminal: at the row itself and in its menu, or in its menu alone. */
function offers(of: ReturnType<typeof client>, mayTerminal = true): number {
  const row = clientRow({
    client: of,
    place: "clients",
    serverName: "",
    localTunnels: 0,
    serverTunnels: 0,
    nowMs: 0,
    mayTunnel: false,
    mayTerminal,
    mayAdminister: false,
  });
  return offersOf(row.context).filter((command) => command === COMMAND).length;
}

describe("what a host says of terminals", () => {
  it("decides whether its row has the button, and every host that is there has it in its menu", () => {
    expect(offers(client("web", { terminal: ON }))).toBe(2);
    expect(offers(client("web", { terminal: { state: "off" } }))).toBe(1);
    expect(offers(client("web"))).toBe(1);
    expect(offers(offline("web", { terminal: ON }))).toBe(0);
    expect(offers(client("web", { terminal: ON }), false)).toBe(0);
  });

  it("is told with what can be done about it", () => {
    expect(whyNoTerminal(client("web", { terminal: ON }))).toBeUndefined();
    const off = whyNoTerminal(client("web", { terminal: { state: "off" } }));
    expect(off).toMatchObject({ why: "This host allows no terminals.", isOff: true });
    expect(ALLOWING_COMMAND).toContain("--terminals");
    expect(ALLOWING_LINES).toBe("[terminal]\nenabled = true\n");
    expect(whyNoTerminal(client("web", { terminal: { state: "runtime" } }))?.how).toContain("24");
    expect(whyNoTerminal(client("web", { terminal: { state: "system" } }))?.isOff).toBe(false);
    const gone = whyNoTerminal(client("web", { terminal: { state: "accounts" } }));
    expect(gone?.why).toBe("This host allows terminals only as accounts that it does not have.");
    expect(whyNoTerminal(client("web"))?.how).toContain("RPort's own client");
    const earlier = client("web", { features: ["listening-ports"] });
    expect(whyNoTerminal(earlier)?.how).toContain("update the agent");
  });

  it("names the accounts that there are", () => {
    expect(accountsOf(client("web", { terminal: ON }))).toEqual(["root", "deploy"]);
    expect(accountsOf(client("web"))).toEqual([]);
  });
});

describe("what a shell is told of the person", () => {
  const of = (variables: Readonly<Record<string, string>>) =>
    ownEnvironment({ variable: (name) => variables[name] }).LANG;

  it("is their language, where that can be shown", () => {
    expect(of({ LANG: "de_DE.UTF-8" })).toBe("de_DE.UTF-8");
    expect(of({ LANG: "de_DE.UTF-8", LC_ALL: "fr_FR.utf8" })).toBe("fr_FR.utf8");
    expect(of({ LANG: "de_DE@euro" })).toBe("C.UTF-8");
    expect(of({ LANG: "x\nPATH=.UTF-8" })).toBe("C.UTF-8");
    expect(of({})).toBe("C.UTF-8");
  });
});

describe("what is remembered of terminals", () => {
  const id = (letter: string) => letter.repeat(22) as Parameters<TerminalMemory["forget"]>[0];
  const place = { serverKey: "local", clientId: "web", name: "web-01", account: undefined };

  it("is which ones this window has, and no more than that", () => {
    const workspace = new FakeMemento();
    const memory = new TerminalMemory(workspace, new FakeMemento());
    memory.keep({ ...place, id: id("a") });
    memory.keep({ ...place, id: id("b") });
    memory.keep({ ...place, id: id("a") });
    const known = () =>
      new TerminalMemory(workspace, new FakeMemento()).open.map((each) => each.id);
    expect(known()).toEqual([id("b"), id("a")]);
    memory.forget(id("b"));
    expect(known()).toEqual([id("a")]);
    for (let each = 0; each < 100; each += 1) {
      memory.keep({ ...place, id: String(each).padStart(22, "0") as ReturnType<typeof id> });
    }
    expect(known()).toHaveLength(64);
  });

  it("is nothing where somebody has written something else", () => {
    const workspace = new FakeMemento();
    void workspace.update("terminals.open", [{ id: "../../etc" }]);
    expect(new TerminalMemory(workspace, new FakeMemento()).open).toEqual([]);
  });

  it("is as whom a host's terminals were opened last, in every window", () => {
    const everywhere = new FakeMemento();
    const memory = new TerminalMemory(new FakeMemento(), everywhere);
    memory.keepAccount("local", "web", "root");
    memory.keepAccount("local", "db", "postgres");
    memory.keepAccount("local", "web", "deploy");
    const other = new TerminalMemory(new FakeMemento(), everywhere);
    expect(other.accountOf("local", "web")).toBe("deploy");
    expect(other.accountOf("local", "db")).toBe("postgres");
    expect(other.accountOf("relay", "db")).toBeUndefined();
  });
});
