import { authIdSchema, clientIdSchema } from "@rport/protocol/ids";
import { describe, expect, it } from "vitest";
import {
  LocalPresence,
  type PresentSession,
} from "../../../../../backend/src/clients/registry/presence.ts";
import {
  describePresence,
  presentSession,
} from "../../../../support/clients/presenceConformance.ts";

const ONE = clientIdSchema.parse("machine-1");
const [FLEET, OTHER] = ["fleet", "other"].map((id) => authIdSchema.parse(id));

describePresence("one process", () => new LocalPresence<PresentSession>());

describe("the presence of one process", () => {
  it("knows the sessions of a credential from their login to their release", () => {
    const presence = new LocalPresence<PresentSession>();
    const [one, other] = [presentSession(undefined, FLEET), presentSession(ONE, OTHER)];
    presence.enter(one);
    presence.enter(other);
    expect(presence.ofCredential(one.credentialId)).toEqual([one]);
    presence.release(one);
    expect(presence.ofCredential(one.credentialId)).toEqual([]);
    expect(presence.ofCredential(other.credentialId)).toEqual([other]);
  });

  it("counts a client as connected while one of its sessions is registered", () => {
    const presence = new LocalPresence<PresentSession>();
    const [before, after] = [presentSession(ONE), presentSession(ONE)];
    presence.claim(ONE, before);
    expect(presence.connected(ONE)).toBeUndefined();
    presence.register(ONE, before);
    presence.register(ONE, after);
    expect([presence.count, presence.countOf(before.credentialId)]).toEqual([1, 1]);
    expect([...presence.connectedSessions()]).toEqual([after]);
    presence.release(before);
    expect(presence.connected(ONE)).toBe(after);
    presence.release(after);
    expect([presence.count, presence.countOf(before.credentialId)]).toEqual([0, 0]);
  });

  it("counts nobody as the client once its record is gone, and does not count down twice", () => {
    const presence = new LocalPresence<PresentSession>();
    const one = presentSession(ONE);
    presence.enter(one);
    presence.register(ONE, one);
    presence.forget(ONE);
    presence.forget(ONE);
    expect([presence.count, presence.countOf(one.credentialId)]).toEqual([0, 0]);
    expect(presence.ofCredential(one.credentialId)).toEqual([one]);
    presence.release(one);
    expect(presence.countOf(one.credentialId)).toBe(0);
  });
});
