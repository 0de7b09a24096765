import { newNonce } from "@rport/protocol/localProof";
import { describe, expect, it } from "vitest";
import { HANDSHAKE_MS } from "../../../../extension/src/tunnels/sharing/handshake.ts";
import { meetWindows } from "../../../../extension/src/tunnels/sharing/meetWindows.ts";
import { VERSION } from "../../../../extension/src/tunnels/sharing/messages.ts";
import { OwnSeat } from "../../../../extension/src/tunnels/sharing/ownSeat.ts";
import { type ProofFacts, proofOf } from "../../../../extension/src/tunnels/sharing/proof.ts";
import { windowsKey } from "../../../../extension/src/tunnels/sharing/windowsKey.ts";
import { FakeClock } from "../../../support/clock.ts";
import { eventually } from "../../../support/eventually.ts";
import { request } from "../../../support/tunnels/sharedWindow.ts";
import { say, strangeGuest } from "../../../support/tunnels/stranger.ts";
import { SENT_AWAY, watchedComputer } from "../../../support/tunnels/watchedComputer.ts";
import { silentLog } from "../serverFixture.ts";

/** The nonce of a line that was heard. */
const nonceOf = (line = "") => (JSON.parse(line) as { nonce: string }).nonce;

describe("who comes to the window that holds the tunnels, and is none", () => {
  /** Facts of a proof that is right but for what is given. */
  async function proofFor(
    storage: string,
    said: readonly [string, string],
    wrong: Partial<ProofFacts> = {},
  ) {
    const [nonce, line] = said;
    const key = await windowsKey(storage, silentLog);
    const facts = { side: "guest", version: VERSION, seat: "1.sock", guestNonce: nonce } as const;
    return proofOf(key, { ...facts, keeperNonce: nonceOf(line), ...wrong });
  }

  const hello = () => ({ type: "hello", nonce: newNonce() });
  const ask = { type: "ask", ask: 1, act: { do: "close", id: "0123456789abcdef" } };

  it.each([
    ["asks before anything is proven", `${JSON.stringify(ask)}\n`],
    ["says no JSON", "hello\n"],
    ["says too much", "x".repeat(2_000)],
    ["says too much in one line", `${" ".repeat(2_000)}\n`],
    ["says a number that is none", `${JSON.stringify({ type: "hello", nonce: "1" })}\n`],
  ])("S-49: is told nothing, and cut off: one that %s", async (_, text) => {
    await using home = await watchedComputer();
    await home.opened();
    using stranger = strangeGuest(home.storage);
    stranger.write(text);
    await stranger.cut;
    expect(stranger.heard).toEqual([]);
    expect(home.told).toEqual([{ message: SENT_AWAY, why: "nonsense" }]);
  });

  it.each<readonly [string, Partial<ProofFacts>]>([
    ["the other side's", { side: "keeper" }],
    ["for another seat", { seat: "2.sock" }],
    ["for other numbers of the keeper's", { keeperNonce: newNonce() }],
    ["for another version than it says", { version: VERSION + 1 }],
  ])("S-49: gets nothing for a proof that is %s", async (_, wrong) => {
    await using home = await watchedComputer();
    const window = await home.opened();
    await window.open(request(5432));
    const first = hello();
    using stranger = strangeGuest(home.storage);
    stranger.say(first);
    const [line = ""] = await stranger.lines(1);
    const proof = await proofFor(home.storage, [first.nonce, line], wrong);
    stranger.say({ type: "proof", version: VERSION, proof });
    stranger.say(ask);
    await stranger.cut;
    expect(stranger.heard).toHaveLength(1);
    expect(home.told).toEqual([{ message: SENT_AWAY, why: "wrong-proof" }]);
  });

  it("S-49: gets nothing for what it was told itself, nor for what a window has proven before", async () => {
    await using home = await watchedComputer();
    const window = await home.opened();
    await window.open(request(5432));
    using mirror = strangeGuest(home.storage, (line, socket) => socket.write(`${line}\n`));
    mirror.say(hello());
    await mirror.cut;
    expect(mirror.heard).toHaveLength(1);
    // the same as above and right: it is let in, which is what makes the wrong ones mean something
    const first = hello();
    using real = strangeGuest(home.storage);
    real.say(first);
    const [line = ""] = await real.lines(1);
    const said = {
      type: "proof",
      version: VERSION,
      proof: await proofFor(home.storage, [first.nonce, line]),
    };
    real.say(said);
    const [, list] = await real.lines(2);
    expect(list).toContain('"tunnels"');
    using replay = strangeGuest(home.storage, (_, socket) => say(socket, said));
    replay.say(first);
    await replay.cut;
    expect(replay.heard).toHaveLength(1);
  });

  it("S-49: is cut off in time when it says nothing, is no more than a hundred, and floods no log", async () => {
    await using home = await watchedComputer();
    const { storage, log } = home;
    const clock = new FakeClock();
    const seat = await meetWindows({ storage, clock, log });
    if (!(seat instanceof OwnSeat)) throw new Error("somebody else has the seat");
    try {
      const silent = Array.from({ length: 100 }, () => strangeGuest(storage));
      await eventually(() => expect(clock.timers).toBe(100));
      await strangeGuest(storage).cut;
      expect(home.told).toEqual([{ message: SENT_AWAY, why: "too-many" }]);
      clock.advance(HANDSHAKE_MS);
      await Promise.all(silent.map(({ cut }) => cut));
      expect(home.told).toHaveLength(1);
      clock.jump(3_600_000);
      const another = strangeGuest(storage);
      another.write("hello\n");
      await another.cut;
      expect(home.told).toHaveLength(1);
      clock.advance(60_000);
      using late = strangeGuest(storage);
      late.write("hello\n");
      await late.cut;
      expect(home.told).toHaveLength(2);
    } finally {
      seat.close();
    }
  });
});
