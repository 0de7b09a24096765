import { once } from "node:events";
import { readdir, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { newNonce } from "@rport/protocol/localProof";
import { describe, expect, it } from "vitest";
import type { Clock } from "../../../../extension/src/support/clock.ts";
import { HANDSHAKE_MS } from "../../../../extension/src/tunnels/sharing/handshake.ts";
import { meetWindows } from "../../../../extension/src/tunnels/sharing/meetWindows.ts";
import { VERSION } from "../../../../extension/src/tunnels/sharing/messages.ts";
import { FakeClock } from "../../../support/clock.ts";
import { eventually } from "../../../support/eventually.ts";
import { request } from "../../../support/tunnels/sharedWindow.ts";
import {
  say,
  seatPath,
  strangeGuest,
  strangeKeeper,
  type Trick,
} from "../../../support/tunnels/stranger.ts";
import { NOT_SHARED, watchedComputer } from "../../../support/tunnels/watchedComputer.ts";

/** A tunnel that no window has, as windows tell of theirs. */
const forged = {
  ...request(5432),
  id: "0123456789abcdef",
  localPort: 5432,
  localHost: "127.0.0.1",
  workspace: "",
  kind: undefined,
  isOpen: true,
  connections: 0,
};

/** The nonce of a line that was heard. */
const nonceOf = (line = "") => (JSON.parse(line) as { nonce: string }).nonce;

/** A clock on which short times are over at once. */
function hurried(clock: FakeClock): Clock {
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    after(ms, run) {
      const timer = clock.after(ms, run);
      if (ms < 1_000) setImmediate(() => clock.advance(ms));
      return timer;
    },
  };
}

/** What a program without the key may answer to who comes. */
const TRICKS: readonly (readonly [string, Trick])[] = [
  [
    "welcomes everybody",
    (_, socket) => {
      say(socket, { type: "welcome", version: VERSION });
      say(socket, { type: "tunnels", tunnels: [forged] });
    },
  ],
  [
    "makes a proof up",
    (_, socket) =>
      say(socket, { type: "proof", version: VERSION, nonce: newNonce(), proof: newNonce() }),
  ],
  [
    "sends back what it was told",
    (line, socket) => {
      const nonce = nonceOf(line);
      say(socket, { type: "proof", version: VERSION, nonce, proof: nonce });
    },
  ],
  [
    "claims another version",
    (_, socket) =>
      say(socket, { type: "proof", version: VERSION + 1, nonce: newNonce(), proof: newNonce() }),
  ],
  ["answers without end", (_, socket) => socket.write("x".repeat(5_000))],
  ["says no JSON", (_, socket) => socket.write("welcome\n")],
];

describe("who listens where the windows meet, and is none", () => {
  it.each(TRICKS)("S-49: is told nothing and not believed: one that %s", async (_, trick) => {
    await using home = await watchedComputer();
    using stranger = await strangeKeeper(home.storage, trick);
    const window = await home.opened();
    expect(window.all).toEqual([]);
    const { localPort } = await window.open(request(5432));
    // the window holds its tunnels itself
    const socket = connect(localPort, "127.0.0.1");
    await once(socket, "close").catch((error: unknown) => error);
    expect(window.all).toMatchObject([{ localPort, isOpen: true }]);
    expect(home.told).toEqual([{ message: NOT_SHARED, why: expect.any(String) }]);
    const heard = stranger.heard.map((line) => Object.keys(JSON.parse(line) as object));
    expect(heard.length).toBeGreaterThan(0);
    expect(new Set(heard.map(String))).toEqual(new Set(["type,nonce"]));
  });

  it("S-49: is not believed with what a real one has proven before", async () => {
    await using home = await watchedComputer();
    const real = await home.opened();
    using eavesdropper = strangeGuest(home.storage);
    eavesdropper.say({ type: "hello", nonce: newNonce() });
    const [proof = ""] = await eavesdropper.lines(1);
    expect(proof).toContain('"proof"');
    real.dispose();
    await eavesdropper.cut;
    await rm(seatPath(home.storage, 1), { force: true });
    using _stranger = await strangeKeeper(home.storage, (_, socket) => socket.write(`${proof}\n`));
    const window = await home.opened();
    await window.open(request(5432));
    expect(home.told).toContainEqual({
      message: NOT_SHARED,
      why: expect.stringContaining("1.sock has not proven to be a window of yours"),
    });
  });

  it("S-49: is not believed when it passes on what a real one at another seat proves", async () => {
    await using home = await watchedComputer();
    const real = await home.opened();
    await real.open(request(5432));
    const relay: Trick = (line, socket) => {
      const inner = strangeGuest(home.storage, (answer) => socket.write(`${answer}\n`));
      inner.write(`${line}\n`);
    };
    using stranger = await strangeKeeper(home.storage, relay, 2);
    const window = await home.opened();
    expect(window.all.filter(({ isOpen }) => isOpen)).toEqual([]);
    expect(home.told).toContainEqual({
      message: NOT_SHARED,
      why: expect.stringContaining("wrong-proof"),
    });
    expect(stranger.heard).toHaveLength(1);
  });

  it("S-49: is given up when it hangs up on everybody", async () => {
    await using home = await watchedComputer();
    const { storage, log } = home;
    using stranger = await strangeKeeper(storage, (_, socket) => socket.destroy());
    // what is waited for between two tries is over at once
    const clock = new FakeClock();
    const met = meetWindows({ storage, clock: hurried(clock), log });
    await expect(met).rejects.toThrow("hangs up on everybody");
    expect(stranger.heard.length).toBeGreaterThan(10);
  });

  it("S-49: is given up after a time when it says nothing", async () => {
    await using home = await watchedComputer();
    const { storage, log } = home;
    const clock = new FakeClock();
    using stranger = await strangeKeeper(storage, () => undefined);
    const met = meetWindows({ storage, clock, log });
    met.catch(() => undefined);
    await eventually(() => expect(stranger.heard).toHaveLength(1));
    clock.advance(HANDSHAKE_MS);
    await expect(met).rejects.toThrow("window of yours: late");
    expect(clock.timers).toBe(0);
  });
});

describe("windows that know each other by their key", () => {
  it("find each other when the key was broken before, however many start at once", async () => {
    await using home = await watchedComputer();
    const first = await home.opened();
    await first.open(request(5432));
    await writeFile(join(home.storage, "windows", "key"), "short");
    const windows = await Promise.all(Array.from({ length: 8 }, () => home.opened()));
    for (const window of [first, ...windows]) {
      const opened = await window.open(request(5433));
      for (const other of [first, ...windows]) {
        await eventually(() => expect(other.all).toContainEqual(opened));
      }
      await window.close(opened.id);
    }
    expect(home.told.map(({ message }) => message)).not.toContain(NOT_SHARED);
    expect(home.told.map(({ why }) => why)).toContain("not-a-key");
    expect(await readdir(join(home.storage, "windows"))).toEqual(["1.sock", "key"]);
  });
});
