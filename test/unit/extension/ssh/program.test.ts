import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { VERSION } from "@rport/protocol/version";
import { describe, expect, it, vi } from "vitest";
import { storagesOfEditors } from "../../../../extension/src/ssh/bridge/editors.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";
import { bridge, echo, HOSTS, openWindow } from "./bridgeWindow.ts";

const [WEB] = HOSTS;
const EXTENSION = "User/globalStorage/rport.rport";

describe("the program that carries connections, called by hand", () => {
  it("says what it is for, what it answers, and its version, to whoever asks", async () => {
    const help = bridge([], ["connect", "--help"]);
    const said = await text(help.output);
    expect(said).toContain("Usage: sh /a/launcher.sh connect CLIENT [HOST:]PORT\n");
    expect(said).toContain("  3    no window of the editor is open\n");
    expect(await help.code).toBe(0);
    const version = bridge([], ["--version"]);
    expect(await text(version.output)).toBe(`rport ${VERSION}\n`);
    expect([help.said, version.said]).toEqual([[], []]);
  });

  it("says that no editor has it, without waiting for one", async () => {
    const { said, code } = bridge([], ["connect", "web-01", "22"]);
    expect(await code).toBe(3);
    expect(said).toEqual([expect.stringMatching(/^No editor of yours has RPort\..*RPORT_STORAGE/)]);
  });

  it("asks the next editor of the same person where the first does not know the client, or is not signed in", async () => {
    const dialled = vi.fn(echo);
    await using stranger = await openWindow(echo, undefined, []);
    await using out = await openWindow(echo, async () => ({ kind: "noToken" }));
    await using window = await openWindow(dialled);
    await using closed = await tempDirectory();
    const { input, output, code } = bridge(
      [closed.path, stranger.storage, out.storage, window.storage],
      ["connect", "web-01", "22"],
    );
    input.end("hello");
    expect(await text(output)).toBe("hello");
    expect(await code).toBe(0);
    expect(dialled).toHaveBeenCalledOnce();
    const other = bridge([stranger.storage, out.storage], ["connect", "web-01", "22"]);
    expect(await other.code).toBe(4);
    const none = bridge([stranger.storage, window.storage], ["connect", "nobody", "22"]);
    expect(await none.code).toBe(5);
  });

  it("tells whoever typed a name that ssh was not told of how the host is called", async () => {
    const said = async (name: string, hosts = HOSTS) => {
      await using window = await openWindow(echo, undefined, hosts);
      const asking = bridge(window.storage, ["unknown", name]);
      expect(await asking.code).not.toBe(0);
      return asking.said;
    };
    expect(await said("WEB-01.rport")).toEqual([
      "ssh takes small letters and capitals for different ones: type web-01.rport.",
    ]);
    expect(await said("web-01.rport")).toEqual([
      "ssh will be told of web-01.rport in a moment: try again.",
    ]);
    expect(await said("web-07.rport", WEB && [WEB])).toEqual([
      "No host is called web-07.rport. Is web-01.rport meant?",
    ]);
  });
});

describe("the editors of a person", () => {
  it.each([
    ["linux", {}, [".config/Code", ".config/VSCodium", ".local/share/code-server"]],
    [
      "linux",
      { XDG_CONFIG_HOME: "conf", XDG_DATA_HOME: "data" },
      ["conf/Code", "data/code-server"],
    ],
    ["darwin", {}, ["Library/Application Support/Code - Insiders"]],
    ["win32", {}, ["AppData/Roaming/Code"]],
    ["win32", { APPDATA: "roaming" }, ["roaming/Code"]],
    ["linux", {}, [".vscode-server/data", ".vscodium-server/data"]],
  ] as const)("are found on %s with %j in %j", async (platform, settings, editors) => {
    await using temp = await tempDirectory();
    const home = temp.path;
    const full = Object.entries(settings).map(([name, folder]) => [name, join(home, folder)]);
    const found = editors.map((editor) => join(home, editor, EXTENSION));
    for (const storage of found) await mkdir(join(storage, "windows"), { recursive: true });
    // of an editor in which the extension never ran
    await mkdir(join(home, ".config/Other", EXTENSION), { recursive: true });
    const computer = { platform, env: Object.fromEntries(full), home };
    expect(await storagesOfEditors(computer)).toEqual(found);
  });
});
