import { describe, expect, it, vi } from "vitest";
import { openCredentials } from "../../../../support/backend/credentials.ts";
import { loginSubjects, type SubjectName } from "../../../../support/backend/loginSubjects.ts";

type Verifiers = typeof import("../../../../../backend/src/passwords/verifier.ts");

/** What a login cost: everything else in it takes less time than a network's jitter. */
const work = vi.hoisted(() => ({ hashes: 0, derivations: 0 }));

vi.mock("../../../../../backend/src/passwords/verifier.ts", async (original) => {
  const real = await original<Verifiers>();
  const counted: Pick<Verifiers, "hmacVerifier" | "scryptVerifier"> = {
    hmacVerifier(key, secret) {
      work.hashes += 1;
      return real.hmacVerifier(key, secret);
    },
    scryptVerifier(password, salt) {
      work.derivations += 1;
      return real.scryptVerifier(password, salt);
    },
  };
  return { ...real, ...counted };
});

/** What each login costs, one after the other. */
async function costs(kind: "typed" | "generated", names: readonly SubjectName[]) {
  await using fixture = await openCredentials();
  const all = await loginSubjects(fixture, kind);
  const found: (typeof work)[] = [];
  for (const name of names) {
    const { id, password } = all[name];
    Object.assign(work, { hashes: 0, derivations: 0 });
    await fixture.credentials.login(id, password, "192.0.2.7");
    found.push({ hashes: work.hashes, derivations: work.derivations });
  }
  return found;
}

describe("S-20: the work that a login makes", () => {
  it("is the same for an unknown or a deleted id, a wrong, a revoked and a right generated secret", async () => {
    const names = ["unknown", "deleted", "wrong", "revoked", "right"] as const;
    const found = await costs("generated", names);
    expect(found).toEqual(names.map(() => ({ hashes: 1, derivations: 0 })));
  });

  it("is one slow derivation for each typed password that is refused, however often it comes", async () => {
    const names = ["unknown", "deleted", "wrong", "revoked", "wrong", "revoked"] as const;
    const found = await costs("typed", names);
    expect(found).toEqual(names.map(() => ({ hashes: 1, derivations: 1 })));
  });

  it("is one also for a right one that has not let anybody in yet, and none from then on", async () => {
    const found = await costs("typed", ["right", "right"]);
    expect(found).toMatchObject([{ derivations: 1 }, { derivations: 0 }]);
  });
});
