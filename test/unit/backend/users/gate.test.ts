import { Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { shownSecret } from "../../../../backend/src/users/signIn/shownSecret.ts";
import { UserTokens } from "../../../../backend/src/users/tokens.ts";
import { testGate } from "../../../support/backend/gate.ts";
import { FakeClock } from "../../../support/clock.ts";

function makeGate() {
  const clock = new FakeClock();
  const tokens = new UserTokens();
  const proofs = { provenToken: () => undefined };
  const gate = testGate(clock, { tokens, proofs });
  const { token, tokenId } = tokens.issue("local");
  const connection = new Socket();
  const from = (authorization: string | undefined, address = "192.0.2.1", isShared = false) =>
    gate.admit({ address, isShared, authorization, connection });
  return { clock, tokens, token, tokenId, from, gate };
}

function times<T>(count: number, run: (n: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, n) => run(n)));
}

const basic = (text: string): string => `Basic ${Buffer.from(text).toString("base64")}`;

describe("the users' gate", () => {
  it("lets in who shows the token, as Bearer or as the password of Basic", async () => {
    const { token, from } = makeGate();
    for (const shown of [`Bearer ${token}`, `bearer ${token}`, basic(`admin:${token}`)]) {
      expect(await from(shown)).toMatchObject({ kind: "actor", actor: { name: "local" } });
    }
  });

  it("makes tokens of 32 random bytes that differ", () => {
    const tokens = new UserTokens();
    const made = [tokens.issue("a").token, tokens.issue("b").token];
    expect(new Set(made).size).toBe(2);
    for (const token of made) expect(Buffer.from(token, "base64url")).toHaveLength(32);
  });

  it("refuses everything else", async () => {
    const { token, from } = makeGate();
    const wrong = [
      undefined,
      "",
      token,
      `Bearer ${token}x`,
      `Bearer  `,
      basic(token),
      basic("a:b"),
    ];
    for (const shown of wrong) expect(await from(shown)).toMatchObject({ kind: "refused" });
  });

  it("keeps colons within the password of Basic", () => {
    expect(shownSecret(basic("user:to:ken"))).toEqual({ name: "user", secret: "to:ken" });
  });

  it("S-19 refuses a revoked token at once, and tells who holds something open with it", async () => {
    const { tokens, token, tokenId, from } = makeGate();
    const result = await from(`Bearer ${token}`);
    tokens.revoke(tokenId);
    expect((await from(`Bearer ${token}`)).kind).toBe("refused");
    expect(result.kind === "actor" && result.actor.ended.aborted).toBe(true);
  });

  it("makes an address wait after ten wrong tokens in a minute, and only that address", async () => {
    const { clock, from } = makeGate();
    const waits = await times(11, () => from("Bearer wrong"));
    expect(waits.slice(0, 10)).toEqual(Array(10).fill({ kind: "refused", retryAfterS: 0 }));
    expect(waits[10]).toEqual({ kind: "refused", retryAfterS: 60 });
    expect(await from("Bearer wrong", "192.0.2.2")).toEqual({ kind: "refused", retryAfterS: 0 });
    clock.advance(60_000);
    expect(await from("Bearer wrong")).toEqual({ kind: "refused", retryAfterS: 0 });
  });

  it("C-35: lets nobody wait at an address that many may share", async () => {
    const { from } = makeGate();
    const answers = await times(30, () => from("Bearer wrong", "127.0.0.1", true));
    expect(new Set(answers.map(({ kind }) => kind))).toEqual(new Set(["refused"]));
    expect(answers.at(-1)).toEqual({ kind: "refused", retryAfterS: 0 });
    expect(await from("Bearer wrong", "127.0.0.1")).toEqual({ kind: "refused", retryAfterS: 0 });
  });

  it("counts a whole IPv6 network as one", async () => {
    const { from } = makeGate();
    const last = await times(11, (n) => from("Bearer wrong", `2001:db8:1:2::${n}`));
    expect(last[10]).toMatchObject({ retryAfterS: 60 });
  });

  it("lets a valid token in however often others at the address were wrong", async () => {
    const { token, from } = makeGate();
    await times(50, () => from("Bearer wrong"));
    expect((await from(`Bearer ${token}`)).kind).toBe("actor");
  });
});
