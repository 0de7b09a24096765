import type { EndpointInput, EndpointOutput } from "@rport/protocol/http";
import type { NewToken, NewTokenInput } from "@rport/protocol/people/token";
import type { UserName } from "@rport/protocol/people/user";
import type { Clock } from "../../platform/clock.ts";
import type { EditStore } from "../../store/edits/editStore.ts";
import type { TokenRecord } from "../../store/records/tokenRecord.ts";
import type { AccountLedger } from "../accounts/accountLedger.ts";
import type { Invitations } from "../invitations/invitations.ts";
import type { TriesFrom } from "../signIn/guessing.ts";
import { isGroup, newUser, requireFreeName } from "./newUser.ts";
import type { MakePassword } from "./userAdministration.ts";

/** Makes a token that is not kept yet. */
export type MakeToken = (
  user: UserName,
  input: NewTokenInput,
  nowMs: number,
) => { readonly record: TokenRecord; readonly made: NewToken };

/** What accepting an invitation needs. */
export interface AcceptanceDeps {
  readonly invitations: Invitations;
  readonly ledger: AccountLedger;
  readonly edits: Pick<EditStore, "commit">;
  readonly makePassword: MakePassword;
  readonly makeToken: MakeToken;
  readonly clock: Pick<Clock, "now">;
}

/**
 * Makes whoever knows a code a user with a personal token, in one commit. What was wrong with name
 * or password leaves the code as it is. Throws as `Invitations.take` does, `ERR_CODE_ALREADY_EXIST`
 * for a name that is taken, and `BAD_REQUEST`.
 */
export async function acceptInvitation(
  body: EndpointInput<"acceptInvitation">["body"],
  from: TriesFrom,
  deps: AcceptanceDeps,
): Promise<EndpointOutput<"acceptInvitation">> {
  const { invitations, ledger, edits, makePassword, makeToken, clock } = deps;
  const { code, username } = body;
  // Before the password is worked on: strangers cost nothing, and learn nothing about names.
  invitations.check(code, from);
  requireFreeName(ledger, username, "ERR_CODE_ALREADY_EXIST");
  const password = await makePassword(body.password);
  const input = { name: body.token_name, scope: "read+write" as const };
  const { record: token, made } = makeToken(username, input, clock.now());
  const { groups, displayName, createdBy, giveBack } = invitations.take(code, from);
  const record = newUser({
    username,
    display_name: body.display_name ?? displayName,
    groups: groups.filter((name) => isGroup(ledger, name)),
    password,
    password_expired: false,
    two_fa_send_to: "",
    createdBy,
    atMs: clock.now(),
  });
  try {
    await edits.commit([
      { kind: "addUser", record },
      { kind: "addToken", user: username, record: token },
    ]);
  } catch (caught) {
    giveBack();
    throw caught;
  }
  return { username, token: made.token, expires_at: made.expires_at };
}
