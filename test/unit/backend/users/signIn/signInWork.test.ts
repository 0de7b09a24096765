import { describe, expect, it, vi } from "vitest";
import { groups, userRecord } from "../../../../support/backend/people.ts";
import { openPeople } from "../../../../support/backend/storedPeople.ts";

type Verifiers = typeof import("../../../../../backend/src/passwords/verifier.ts");

/** What a sign-in cost: everything else in it takes less time than a network's jitter. */
const work = vi.hoisted(() => ({ derivations: 0 }));

vi.mock("../../../../../backend/src/passwords/verifier.ts", async (original) => {
  const real = await original<Verifiers>();
  const counted: Pick<Verifiers, "scryptVerifier"> = {
    scryptVerifier(password, salt) {
      work.derivations += 1;
      return real.scryptVerifier(password, salt);
    },
  };
  return { ...real, ...counted };
});

const PASSWORD = "a long password of anna's";
const FROM = { address: "192.0.2.7", isShared: false };
const WRONG = "The name or the password is wrong.";

describe("S-20: the work that a sign-in of a user makes", () => {
  it("is one derivation, and the answer is the same, for an unknown name, a wrong password, and somebody without one", async () => {
    await using fixture = await openPeople();
    const { passwords, edits, signIn } = fixture.first.accounts;
    const password = await passwords.derive(PASSWORD, "test");
    await edits.commit([
      { kind: "addUser", record: userRecord("root", { groups: groups("Administrators") }) },
      { kind: "addUser", record: userRecord("anna", { password }) },
      { kind: "addUser", record: userRecord("dora", { password, disabled: true }) },
    ]);
    for (const username of ["anna", "nobody", "root", "dora", "", "anna\u0000"]) {
      work.derivations = 0;
      const typed = { username, password: "some other password" };
      await expect(signIn.checkPassword(typed, FROM)).rejects.toMatchObject({
        code: "UNAUTHORIZED",
        message: WRONG,
      });
      expect([username, work.derivations]).toEqual([username, 1]);
      fixture.clock.advance(3_600_000);
    }
    work.derivations = 0;
    await signIn.checkPassword({ username: "anna", password: PASSWORD }, FROM);
    expect(work.derivations).toBe(1);
  });
});
