import { API_PREFIX } from "@rport/protocol/http";
import type { GroupName } from "@rport/protocol/people/user";
import { scryptVerifier } from "../../../backend/src/passwords/verifier.ts";
import { bytes } from "../../../backend/src/platform/random.ts";
import type { UserRecord } from "../../../backend/src/store/records/userRecord.ts";
import type { RunningBackend } from "./backend.ts";
import { userRecord } from "./people.ts";

/** The password of the tests' users. */
export const PASSWORD = "correct horse battery";

/** An answer of the users' face. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: {
    readonly data?: unknown;
    readonly errors?: readonly { readonly code: string; readonly title: string }[];
  };
}

/** What is sent with a request. */
export interface Sent {
  /** `Authorization`; absent: none. */
  readonly authorization?: string | undefined;
  readonly json?: unknown;
  readonly form?: Record<string, string>;
}

/** Makes a user with `PASSWORD`, as the store is told of one. */
export async function addUser(
  { backend }: RunningBackend,
  name: string,
  given: Partial<UserRecord> & { readonly groups?: GroupName[] } = {},
): Promise<void> {
  const salt = bytes(16);
  const verifier = await scryptVerifier(PASSWORD, salt);
  const password = {
    scheme: "scrypt" as const,
    salt: salt.toString("base64url"),
    verifier: verifier.toString("base64url"),
  };
  const record = userRecord(name, { password, ...given });
  await backend.accounts.edits.commit([{ kind: "addUser", record }]);
}

/** Sends a request such as `GET /me`, below `API_PREFIX`, as anybody could. */
export async function send(
  { url }: Pick<RunningBackend, "url">,
  target: string,
  { authorization, json, form }: Sent = {},
): Promise<Reply> {
  const [method = "", path = ""] = target.split(" ");
  const headers: Record<string, string> = {};
  if (authorization !== undefined) headers.Authorization = authorization;
  if (json !== undefined) headers["Content-Type"] = "application/json";
  const body = json === undefined ? form && new URLSearchParams(form) : JSON.stringify(json);
  const init = body === undefined ? { method, headers } : { method, headers, body };
  const answer = await fetch(`${url}${API_PREFIX}${path}`, init);
  const text = await answer.text();
  return {
    status: answer.status,
    headers: answer.headers,
    body: text === "" ? {} : JSON.parse(text),
  };
}

/** `Authorization` with a token of any kind. */
export function bearer(token: string): string {
  return `Bearer ${token}`;
}

/** `Authorization` with a name and a password, or a personal token. */
export function basic(name: string, secret: string): string {
  return `Basic ${Buffer.from(`${name}:${secret}`).toString("base64")}`;
}

/** Signs in with a password; the answer has to be a token. */
export async function signIn(
  running: Pick<RunningBackend, "url">,
  username: string,
  password: string = PASSWORD,
): Promise<string> {
  const { status, body } = await send(running, "POST /login", { json: { username, password } });
  if (status !== 200) throw new Error(`${status}: ${JSON.stringify(body)}`);
  return (body.data as { token: string }).token;
}

/** Makes a personal token, with the token of a session. */
export async function newToken(
  running: Pick<RunningBackend, "url">,
  session: string,
  given: Record<string, unknown> = {},
): Promise<{
  readonly token: string;
  readonly prefix: string;
  readonly expires_at: string | null;
}> {
  const json = { name: "a script", scope: "read+write", ...given };
  const sent = { authorization: bearer(session), json };
  const { status, body } = await send(running, "POST /me/tokens", sent);
  if (status !== 200) throw new Error(`${status}: ${JSON.stringify(body)}`);
  return body.data as Awaited<ReturnType<typeof newToken>>;
}
