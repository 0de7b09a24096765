import { heldTerminalsSchema } from "@rport/protocol/terminal/terminal";
import { beforeAll, describe, expect, it } from "vitest";
import { BUILT_AGENTS, builtAgent } from "../../support/agents/builtAgent.ts";
import { eventually } from "../../support/eventually.ts";
import { RealScene } from "../../support/terminals/realScene.ts";
import { TerminalScene } from "../../support/terminals/scene.ts";

/** `[terminal] max` of an agent, unless its configuration says otherwise. */
const USUAL_MAX = 16;
const BITES = /rport_limit_bites_total\{limit="terminals_per_client"\} (\d+)/;

function backwards(list: Buffer): Buffer {
  const { terminals } = heldTerminalsSchema.parse(JSON.parse(list.toString("utf8")));
  return Buffer.from(JSON.stringify({ terminals: terminals.reverse() }));
}

describe("how many terminals a host says that it has at most", () => {
  it("bounds those of a client, and says so", async () => {
    await using scene = await TerminalScene.open();
    const Terminal = { state: "on", accounts: ["root"], max: 2 };
    const host = await scene.host({ introduction: { Terminal } });
    const first = await scene.viewer();
    await scene.viewer();
    await expect(scene.viewer()).rejects.toThrow(
      "This client has 2 terminals already (its [terminal] max): close one first.",
    );
    expect(BITES.exec(await scene.figures())?.[1]).toBe("1");
    expect(host.terminals.size).toBe(2);
    await first.end();
    await scene.viewer();
  });

  it.each([0, 65, 1.5, "16", null])("counts for nothing as %j", async (max) => {
    await using scene = await TerminalScene.open({ limits: { terminals_per_client: 1 } });
    await scene.host({ introduction: { Terminal: { state: "on", accounts: ["root"], max } } });
    await scene.viewer();
    await expect(scene.viewer()).rejects.toThrow("(terminals_per_client)");
  });

  it("takes nothing away that is there when the server starts again, in whatever order it is told", async () => {
    await using scene = await TerminalScene.open();
    const Terminal = { state: "on", accounts: ["root"], max: 4 };
    const host = await scene.host({ introduction: { Terminal }, onList: backwards });
    const anna = await scene.members.add("anna", ["Operators"]);
    const ben = await scene.members.add("ben", ["Operators"]);
    for (const { token } of [anna, anna, anna, ben]) await scene.viewer({ token });
    await scene.restart();
    await host.connect(scene.backend.url.replace("http", "ws"));
    await eventually(async () => {
      expect(await scene.backend.api("listTerminals")).toHaveLength(4);
    });
    expect(BITES.exec(await scene.figures())?.[1] ?? "0").toBe("0");
  });
});

describe.each(BUILT_AGENTS)("a real agent $name", { timeout: 300_000 }, ({ program }) => {
  beforeAll(async () => void (await builtAgent()), 600_000);

  it("has a terminal for everybody else, whatever one user opens", async () => {
    await using scene = await RealScene.open(program);
    const mallory = await scene.members.add("mallory", ["Operators"]);
    const ben = await scene.members.add("ben", ["Operators"]);
    const boss = await scene.members.add("boss", ["Administrators"]);
    const all = (USUAL_MAX * 3) / 4;
    for (let count = 0; count < all; count += 1) await scene.viewer({ token: mallory.token });
    await expect(scene.viewer({ token: mallory.token })).rejects.toThrow(
      "mallory has 12 of this client's 16 terminals (its [terminal] max); others need the rest.",
    );
    for (const { token } of [ben, boss]) await scene.viewer({ token });
  });
});
