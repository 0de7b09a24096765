import { describe, expect, it } from "vitest";
import { FakeHost } from "./fakeHost.ts";
import { settled, view } from "./viewerFixture.ts";

const MARK = "\u001B]633;E;ls;abc\u0007";

describe("marks of a shell in a viewer", () => {
  it("are handed on as they came", async () => {
    const { host, screen } = await view();
    host.write(`$ ${MARK}`);
    expect(screen()).toBe(`$ ${MARK}`);
  });

  it.each([
    ["a mark", `3;E;ls;abc\u0007${MARK}list`, `${MARK}list`],
    ["a colour", "1;32m$\r\nnext", "\r\nnext"],
    ["a character", Buffer.concat([Buffer.from([0xa4]), Buffer.from("\u001B[1mx")]), "\u001B[1mx"],
    ["a word that nothing follows", "word", "word"],
  ])("show no rest of %s where what is kept begins within it", async (_, kept, shown) => {
    const host = new FakeHost();
    host.write("before ");
    host.write(kept);
    host.forgetBefore(7);
    const { screen } = await view(() => ({ kind: "resume", id: host.id }), host);
    expect(screen()).toBe(shown);
  });

  it("end where the rest of one is lost", async () => {
    const { host, screen, clock } = await view();
    host.write(MARK.slice(0, -3));
    host.cut();
    host.forgetBefore(20);
    host.write("c\u0007list\r\n$ ");
    clock.advance(1_000);
    await settled();
    clock.advance(6);
    expect(screen()).toContain("\u001B]633;E;ls;a\u0018\r\n[");
  });
});
