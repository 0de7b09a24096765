import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { VERSION } from "@rport/protocol/version";
import { describe, expect, it, vi } from "vitest";
import { storagesOfEditors } from "../../../../extension/src/ssh/bridge/editors.ts";
import { eventually } from "../../../support/eventually.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";
import { strangeKeeper } from "../../../support/tunnels/stranger.ts";
import { bridge, echo, HOSTS, openWindow } from "./bridgeWindow.ts";
import { findable } from "./findable.ts";

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
    await using stranger = await openWindow(echo, undefined, { hosts: findable([]) });
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

  it("asks the next editor also where what answers for the first is no window, or hangs up, and says what comes closest", async () => {
    await using stranger = await openWindow(echo, undefined, { hosts: findable([]) });
    await using old = await openWindow(echo);
    old.seat.receiveWith({
      guest: () => undefined,
      bridge: (socket) => void socket.destroy(),
    });
    await using temp = await tempDirectory();
    using _ = await strangeKeeper(temp.path, (_line, socket) => void socket.write("nonsense\n"));
    await using window = await openWindow(echo);
    const first = bridge([temp.path, old.storage, window.storage], ["connect", "web-01", "22"]);
    first.input.end("hello");
    expect(await text(first.output)).toBe("hello");
    expect(await first.code).toBe(0);
    const ask = async (...storages: readonly string[]) => {
      const { code, said } = bridge(storages, ["connect", "wbe-01", "22"]);
      return { code: await code, said };
    };
    const beganAtMs = performance.now();
    expect(await ask(temp.path, old.storage, stranger.storage)).toEqual({
      code: 5,
      said: ["No host is called wbe-01."],
    });
    expect(await ask(old.storage, temp.path)).toEqual({
      code: 255,
      said: [expect.stringMatching(/^What answers for the editor has not proven/)],
    });
    // not for as long as a window is waited for
    expect(performance.now() - beganAtMs).toBeLessThan(5_000);
  });

  it("waits for a window that is being reloaded, though another editor is open that does not know the client", async () => {
    await using stranger = await openWindow(echo, undefined, { hosts: findable([]) });
    await using window = await openWindow(echo);
    window.seat.close();
    const { input, output, code } = bridge(
      [window.storage, stranger.storage],
      ["connect", "web-01", "22"],
    );
    await eventually(() => expect(stranger.asked).toBe(1));
    using _ = await window.reopen();
    input.end("hello");
    expect(await text(output)).toBe("hello");
    expect(await code).toBe(0);
    expect(stranger.asked).toBe(1);
  });

  it("carries to hosts, too, that are too many for ssh", async () => {
    const [web, ...others] = HOSTS;
    const hosts = { all: others, everyone: HOSTS };
    await using window = await openWindow(echo, undefined, { hosts });
    const { input, output, code } = bridge(window.storage, ["connect", String(web?.name), "22"]);
    input.end("hello");
    expect(await text(output)).toBe("hello");
    expect(await code).toBe(0);
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
