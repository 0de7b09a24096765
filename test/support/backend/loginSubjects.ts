import { authId, type CredentialsFixture } from "./credentials.ts";
import { keyless } from "./newcomer.ts";
import { FakeAgent } from "./sessions.ts";

const FLEET = authId("fleet");
const GONE = authId("gone");
const ADDRESS = "192.0.2.7";

/** What somebody tries at the door. */
export interface Subject {
  readonly id: string;
  readonly password: string;
}

/** What a login can be about. */
export type SubjectName = "unknown" | "deleted" | "wrong" | "revoked" | "right";

/**
 * Everything that a login can be about, with secrets of one kind: those that people type cost a
 * slow derivation. The right one has not let anybody in yet.
 */
export async function loginSubjects(
  { credentials }: CredentialsFixture,
  kind: "typed" | "generated",
): Promise<Readonly<Record<SubjectName, Subject>>> {
  const given = (name: string) =>
    kind === "typed" ? { password: `${name} and some more words` } : {};
  const make = async (name: string): Promise<string> =>
    (await credentials.addSecret(FLEET, given(name))).password;
  await credentials.create({ id: FLEET, createdBy: "test" });
  const right = await make("right");
  const revoked = await make("revoked");
  const secret = credentials.secrets(FLEET).at(-1);
  const login = await credentials.login(FLEET, revoked, ADDRESS);
  if (login.kind !== "accepted" || secret === undefined) throw new Error("it is not in yet");
  await credentials.admit(login, keyless(new FakeAgent("a", FLEET, "").clientId));
  await credentials.revocations.secret(FLEET, secret.id);
  const gone = { id: GONE, createdBy: "test", ...given("gone") };
  const { password: deleted } = await credentials.create(gone);
  await credentials.removals.remove(GONE, { force: false, purge: false });
  const wrong = given("wrong").password ?? "w".repeat(43);
  return {
    unknown: { id: "nobody-here", password: right },
    deleted: { id: GONE, password: deleted },
    wrong: { id: FLEET, password: wrong },
    revoked: { id: FLEET, password: revoked },
    right: { id: FLEET, password: right },
  };
}
