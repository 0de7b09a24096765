import { terminalIdSchema } from "@rport/protocol/terminal/terminal";
import { describe, expect, it } from "vitest";
import { TerminalMemory } from "../../../../extension/src/terminals/terminalMemory.ts";
import { FakeMemento } from "../memento.ts";

const MAX = 64;

function terminal(number: number) {
  const id = terminalIdSchema.parse(String(number).padStart(22, "0"));
  return { id, serverKey: "local", clientId: "web", name: `web ${number}` };
}

describe("which terminals a window has", () => {
  it("is known to the next one, and of too many it is said which ones are not", () => {
    const workspace = new FakeMemento();
    const memory = new TerminalMemory(workspace, new FakeMemento());
    for (let number = 0; number < MAX; number += 1) {
      expect(memory.keep(terminal(number))).toEqual([]);
    }
    expect(memory.keep(terminal(3))).toEqual([]);
    expect(memory.keep(terminal(MAX))).toEqual([terminal(0)]);
    const next = new TerminalMemory(workspace, new FakeMemento());
    expect(next.open).toHaveLength(MAX);
    expect(next.open.map(({ name }) => name)).not.toContain("web 0");
    memory.forget(terminal(MAX).id);
    expect(memory.open).toHaveLength(MAX - 1);
  });

  it("and as whom they are opened is known but for what cannot be used", async () => {
    const [workspace, global] = [new FakeMemento(), new FakeMemento()];
    await workspace.update("terminals.open", [terminal(0), { id: "?" }, terminal(1)]);
    await global.update("terminals.accounts", [
      ["local", "web", "root"],
      ["local", "db"],
    ]);
    const memory = new TerminalMemory(workspace, global);
    expect(memory.open).toEqual([terminal(0), terminal(1)]);
    memory.keepAccount("local", "gw", "admin");
    expect(memory.accountOf("local", "web")).toBe("root");
    expect(memory.accountOf("local", "gw")).toBe("admin");
  });
});
