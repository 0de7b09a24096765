import { RportError } from "@rport/protocol/errors";
import type { Actor } from "../actor.ts";
import { requireWorking } from "../rights.ts";
import type { TriesFrom } from "./guessing.ts";
import type { SignIn } from "./signIn.ts";

/** A password that somebody who is signed in shows once more. */
export interface PasswordProof {
  readonly password: string;
  readonly from: TriesFrom;
  /** What a wrong one is answered. */
  readonly wrong: string;
}

/**
 * Answers the verifier of the password that was shown. Fails with `FORBIDDEN` unless it is the actor's, with `TOO_MANY_REQUESTS` after wrong
 * ones, and with `UNAUTHORIZED` when the actor's sign-in has ended meanwhile: checking takes a while.
 */
export async function provePassword(
  signIn: Pick<SignIn, "checkPassword">,
  actor: Actor,
  { password, from, wrong }: PasswordProof,
): Promise<string | undefined> {
  const typed = { username: actor.name, password };
  const { record } = await signIn.checkPassword(typed, from).catch((caught: unknown) => {
    const isWrong = caught instanceof RportError && caught.code === "UNAUTHORIZED";
    throw isWrong ? new RportError("FORBIDDEN", wrong) : caught;
  });
  requireWorking(actor);
  return record.password?.verifier;
}
