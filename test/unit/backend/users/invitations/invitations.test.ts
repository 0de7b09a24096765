import type { RportError } from "@rport/protocol/errors";
import { groupNameSchema } from "@rport/protocol/people/user";
import { describe, expect, it } from "vitest";
import { Limits } from "../../../../../backend/src/limits/limits.ts";
import {
  codeDigest,
  newInvitationCode,
} from "../../../../../backend/src/users/invitations/invitationCode.ts";
import {
  type InvitationFacts,
  Invitations,
} from "../../../../../backend/src/users/invitations/invitations.ts";
import { FakeClock } from "../../../../support/clock.ts";
import { testLog } from "../../../../support/log.ts";

const HERE = { address: "192.0.2.1", isShared: false };
const MINUTE_MS = 60_000;
const ROOT = { name: "root", hasAccount: true };

function open(given: Partial<InvitationFacts> = {}) {
  const clock = new FakeClock();
  const limits = new Limits({ clock, log: testLog().log });
  const invitations = new Invitations({ clock, limits });
  const groups = [groupNameSchema.parse("ops")];
  const facts = { groups, displayName: "Anna", maker: ROOT, isBacked: () => true, ...given };
  return { clock, invitations, made: invitations.create(facts), facts };
}

function codeOf(call: () => unknown): string | undefined {
  try {
    call();
    return undefined;
  } catch (caught) {
    return (caught as RportError).code;
  }
}

describe("the code of an invitation", () => {
  it("has sixty bits, in groups that people read to each other", () => {
    const codes = Array.from({ length: 500 }, newInvitationCode);
    expect(new Set(codes).size).toBe(500);
    for (const code of codes)
      expect(code).toMatch(/^([0-9A-HJKMNP-TV-Z]{4}-){2}[0-9A-HJKMNP-TV-Z]{4}$/);
  });

  it("is taken in any case, with or without dashes and spaces, and with letters that look alike", () => {
    const digest = codeDigest("0123-4567-89AB");
    for (const typed of ["0123456789ab", " o123 4567 89AB ", "OI23–4567–89ab", "0l23_4567_89ab"]) {
      expect(codeDigest(typed)).toBe(digest);
    }
  });

  it.each(["", "0123-4567-89A", "0123-4567-89ABC", "0123-4567-89AU", "ÄÄÄÄ-ÄÄÄÄ-ÄÄÄÄ"])(
    "is never %j",
    (typed) => expect(codeDigest(typed)).toBeUndefined(),
  );
});

describe("an invitation", () => {
  it("works once, and gives what was promised", () => {
    const { invitations, made } = open();
    expect(invitations.take(made.code.toLowerCase(), HERE)).toMatchObject({
      groups: ["ops"],
      displayName: "Anna",
      createdBy: "root",
    });
    expect(codeOf(() => invitations.take(made.code, HERE))).toBe("INVITATION_NOT_FOUND");
    expect(invitations.list()).toEqual([]);
  });

  it("is listed without its code, for ten minutes", () => {
    const { invitations, made, clock } = open();
    const [listed] = invitations.list();
    expect(JSON.stringify(listed)).not.toContain(made.code);
    clock.advance(10 * MINUTE_MS - 1);
    invitations.check(made.code, HERE);
    clock.advance(1);
    expect(codeOf(() => invitations.check(made.code, HERE))).toBe("INVITATION_NOT_FOUND");
    expect(invitations.list()).toEqual([]);
    expect(clock.timers).toBe(0);
  });

  it("works again when what it promised could not be kept, until its time is over", () => {
    const { invitations, made, clock } = open();
    clock.advance(MINUTE_MS);
    invitations.take(made.code, HERE).giveBack();
    clock.advance(9 * MINUTE_MS - 1);
    invitations.check(made.code, HERE);
    clock.advance(1);
    expect(codeOf(() => invitations.check(made.code, HERE))).toBe("INVITATION_NOT_FOUND");
  });

  it.each([
    ["by its id", "id"],
    ["with those of its maker", "maker"],
  ])("does not come back when it is revoked, %s, while it is used", (_, by) => {
    const { invitations, made, clock } = open();
    const { giveBack } = invitations.take(made.code, HERE);
    if (by === "id") expect(codeOf(() => invitations.revoke(made.id))).toBe("INVITATION_NOT_FOUND");
    else expect(invitations.revokeBy("root")).toBe(0);
    giveBack();
    expect(codeOf(() => invitations.check(made.code, HERE))).toBe("INVITATION_NOT_FOUND");
    expect(clock.timers).toBe(0);
  });

  it("can be revoked, once", () => {
    const { invitations, made } = open();
    invitations.revoke(made.id);
    expect(codeOf(() => invitations.take(made.code, HERE))).toBe("INVITATION_NOT_FOUND");
    expect(codeOf(() => invitations.revoke(made.id))).toBe("INVITATION_NOT_FOUND");
  });

  it("opens nothing once whoever made it may not invite any more", () => {
    const state = { isBacked: true };
    const { invitations, made } = open({ isBacked: () => state.isBacked });
    state.isBacked = false;
    expect(codeOf(() => invitations.take(made.code, HERE))).toBe("INVITATION_NOT_FOUND");
    expect(invitations.list()).toEqual([]);
  });

  it("ends with the others of its maker", () => {
    const { invitations, facts } = open();
    invitations.create({ ...facts, maker: { name: "other", hasAccount: true } });
    invitations.create({ ...facts, maker: { name: "root", hasAccount: false } });
    expect(invitations.countBy("root")).toBe(1);
    expect(invitations.revokeBy("root")).toBe(1);
    expect(invitations.list()).toMatchObject([{ created_by: "other" }, { created_by: "root" }]);
  });

  it("of the first administrator is not listed, and nobody ends it by its id", () => {
    const { invitations, made } = open({ maker: undefined });
    expect(invitations.list()).toEqual([]);
    expect(codeOf(() => invitations.revoke(made.id))).toBe("INVITATION_NOT_FOUND");
    invitations.check(made.code, HERE);
  });

  it("is one of a hundred at the most", () => {
    const { invitations, facts } = open();
    for (let count = 1; count < 100; count += 1) invitations.create(facts);
    expect(codeOf(() => invitations.create(facts))).toBe("UNAVAILABLE");
  });
});

describe("guessing", () => {
  const WRONG = "0000-0000-0000";

  it("is bounded per network, and keeps no other network out", () => {
    const { invitations, made, clock } = open();
    for (let count = 0; count < 10; count += 1) {
      expect(codeOf(() => invitations.check(WRONG, HERE))).toBe("INVITATION_NOT_FOUND");
    }
    expect(codeOf(() => invitations.check(made.code, HERE))).toBe("TOO_MANY_REQUESTS");
    invitations.check(made.code, { address: "192.0.2.2", isShared: false });
    clock.advance(6_000);
    invitations.check(made.code, HERE);
  });

  it("makes nobody wait at an address that many may have", () => {
    const { invitations, made } = open();
    const shared = { address: "127.0.0.1", isShared: true };
    for (let count = 0; count < 100; count += 1) codeOf(() => invitations.check(WRONG, shared));
    invitations.check(made.code, shared);
  });

  it("is bounded in all: with every network there is, nobody meets a code", () => {
    const { invitations, clock } = open();
    let tries = 0;
    for (let second = 0; second < 60; second += 1) {
      for (let guess = 0; guess < 1_000; guess += 1) {
        const address = `2001:db8:${guess.toString(16)}:${second.toString(16)}::1`;
        const code = codeOf(() => invitations.check(WRONG, { address, isShared: false }));
        if (code === "TOO_MANY_REQUESTS") break;
        tries += 1;
      }
      clock.advance(1_000);
    }
    // All of it is one /32, which has 25 times what a network has.
    expect(tries).toBeLessThanOrEqual(2 * 250);
    expect(codeOf(() => invitations.check(WRONG, HERE))).toBe("INVITATION_NOT_FOUND");
  });
});
