import { RportError } from "@rport/protocol/errors";
import type { ServerFace } from "@rport/protocol/people/signInEndpoints";
import type { TokenPrefix } from "@rport/protocol/people/token";
import type { UserName } from "@rport/protocol/people/user";
import type { TlsPin } from "@rport/protocol/tls/tlsPin";
import { t } from "@vscode/l10n";
import { bearer } from "../api/access.ts";
import { Api, type ApiFetch } from "../api/http.ts";
import { readyAt } from "./access.ts";
import { ownPinOf } from "./ownPin.ts";
import type { KeptToken } from "./tokens.ts";

/** A server that somebody is about to sign in to. */
export interface Door {
  readonly url: string;
  /** What its TLS key is recognised by; absent: its certificate has to be trusted. */
  readonly tlsPin?: TlsPin | undefined;
  readonly fetch: ApiFetch;
}

/** What came of showing a password. */
export interface LoggedIn {
  /** Opens everything, or with a second factor that is owed nothing but that. */
  readonly jwt: string;
  readonly secondFactor: "none" | "exists" | "pending";
}

/** What is typed to accept an invitation. */
export interface Acceptance {
  readonly code: string;
  readonly username: UserName;
  readonly password: string;
  /** What the token is called. */
  readonly computer: string;
}

/** Answers that anything else than an RPort server of today gives to the question who it is. */
const STRANGE = new Set(["INTERNAL", "NOT_FOUND", "NOT_BUILT", "UNAUTHORIZED", "BAD_REQUEST"]);

/** The server's API for whoever shows this in a header; without one, for strangers. */
export function apiOf({ url, tlsPin, fetch }: Door, authorization = ""): Api {
  return new Api({ access: async () => readyAt({ url, tlsPin }, authorization), fetch });
}

/** Asks a server who it is, showing it nothing. Throws `RportError` with a sentence for a person. */
export async function meet(door: Door): Promise<ServerFace> {
  try {
    return await apiOf(door).call("getServerFace");
  } catch (caught) {
    const error = RportError.from(caught);
    if (!STRANGE.has(error.code)) throw error;
    const { host, protocol } = new URL(door.url);
    const hint = protocol === "http:" ? ` ${t("It may speak https, or lie below a path.")}` : "";
    const title =
      t("What answers at {0} is no RPort server, or one older than this editor.", host) + hint;
    throw new RportError("BAD_REQUEST", title, { cause: caught });
  }
}

/** A server, and the way to it over which it has said who it is. */
export interface Meeting {
  readonly door: Door;
  readonly face: ServerFace;
}

/**
 * The same where a server may have made its certificate itself: then its TLS key is found out, and asked
 * for again over a connection to that key alone. Whether it is the right one is for a person to say.
 */
export async function meetPinned(door: Door): Promise<Meeting> {
  try {
    return { door, face: await meet(door) };
  } catch (error) {
    const tlsPin = await ownPinOf(door.url);
    if (tlsPin === undefined || tlsPin === door.tlsPin) throw error;
    const pinned = { ...door, tlsPin };
    return { door: pinned, face: await meet(pinned) };
  }
}

/** Shows a password; `next` takes the place of one that has expired. */
export async function logIn(
  door: Door,
  { username, password, next }: { username: string; password: string; next?: string },
): Promise<LoggedIn> {
  const renewal = next === undefined ? {} : { new_password: next };
  const { token, two_fa: factor } = await apiOf(door).call("login", {
    body: { username, password, ...renewal },
  });
  return { jwt: token, secondFactor: factor?.totp_key_status ?? "none" };
}

/** Shows a code of the authenticator app, or a recovery code. Answers the token that opens it all. */
export async function showCode(
  door: Door,
  { jwt, username, code }: { jwt: string; username: string; code: string },
): Promise<string> {
  const body = { username, token: code };
  return (await apiOf(door, bearer(jwt)).call("verifySecondFactor", { body })).token;
}

/** Ends a session that is not needed any more; one that cannot be reached ends by itself soon. */
export async function logOut(door: Door, jwt: string): Promise<void> {
  await apiOf(door, bearer(jwt))
    .call("logout")
    .catch(() => undefined);
}

/** A token for this editor, made with a session, which ends with that. */
export async function tokenFor(door: Door, jwt: string, computer: string): Promise<KeptToken> {
  const api = apiOf(door, bearer(jwt));
  const taken = new Set((await api.call("listTokens")).map(({ name }) => name));
  const { token } = await api.call("createToken", {
    body: { name: freeName(computer, taken), scope: "read+write", expires_at: null },
  });
  await logOut(door, jwt);
  return { token, made: true };
}

/** The name, with the first number from 2 on behind it when it is taken. */
export function freeName(wanted: string, taken: ReadonlySet<string>): string {
  const base = wanted.trim() || "editor";
  if (!taken.has(base)) return base;
  for (let n = 2; ; n += 1) if (!taken.has(`${base} ${n}`)) return `${base} ${n}`;
}

/** Becomes a user by an invitation; answers the token that comes with it. */
export async function accept(door: Door, typed: Acceptance): Promise<KeptToken> {
  const { code, username, password, computer } = typed;
  const { token } = await apiOf(door).call("acceptInvitation", {
    body: { code, username, password, token_name: computer.trim() || "editor" },
  });
  return { token, made: true };
}

/** Tries a token that somebody pasted. */
export async function tryToken(door: Door, token: string): Promise<KeptToken> {
  await apiOf(door, bearer(token)).call("getStatus");
  return { token, made: false };
}

/** Ends a token that was made for this editor. Answers why it could not be; undefined: it is over. */
export async function endToken(door: Door, { token }: KeptToken): Promise<string | undefined> {
  const prefix = token.split("_")[0] as TokenPrefix;
  try {
    await apiOf(door, bearer(token)).call("deleteToken", { params: { prefix } });
    return undefined;
  } catch (caught) {
    const { code, message } = RportError.from(caught);
    return code === "UNAUTHORIZED" || code === "NOT_FOUND" ? undefined : message;
  }
}
