import type { Credential } from "@rport/protocol/model";
import { isLetIn } from "../agents/peerAgent.ts";
import type { TestApi } from "./api.ts";
import type { CredentialLoad } from "./credentialLoad.ts";

/** A server that is asked what it still knows. */
export interface AskedServer {
  readonly api: Pick<TestApi, "call">;
  /** Where agents sign in. */
  readonly url: string;
}

/** Credentials of one page. */
const PAGE = 500;

/**
 * What a load was answered and is not so on this server, a sentence each. Of the secrets, `logins`
 * are tried.
 */
export async function lossesOf(
  server: AskedServer,
  load: CredentialLoad,
  logins: number,
): Promise<string[]> {
  const losses = lostRecords(await allCredentials(server), load);
  for (const { authId, password, opens } of load.logins(logins)) {
    const isIn = await isLetIn({ url: server.url, user: authId, password });
    if (isIn !== opens) losses.push(`${authId} ${opens ? "has to be" : "must not be"} let in`);
  }
  return losses;
}

function lostRecords(listed: ReadonlyMap<string, Credential>, load: CredentialLoad): string[] {
  return [...load.known].flatMap(([id, known]) => {
    const credential = listed.get(id);
    if (credential === undefined) return known.state === "present" ? [`${id} is missing`] : [];
    if (known.state === "absent") return [`${id} was deleted and is there`];
    if (credential.state !== "active") return [`${id} is ${credential.state}`];
    const isForgotten = known.isRotated && credential.rotated_at === null;
    return isForgotten ? [`the rotation of ${id} is forgotten`] : [];
  });
}

/** Every credential of a server by its id. */
export async function allCredentials({
  api,
}: Pick<AskedServer, "api">): Promise<Map<string, Credential>> {
  const found = new Map<string, Credential>();
  for (let isLast = false; !isLast; ) {
    const query = { "page[limit]": String(PAGE), "page[offset]": String(found.size) };
    const page = await api.call("listCredentials", { query });
    for (const credential of page) found.set(String(credential.id), credential);
    isLast = page.length < PAGE;
  }
  return found;
}
