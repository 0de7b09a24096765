import {
  DIAL_PATH,
  ENDPOINTS,
  type EndpointName,
  EVENTS_PATH,
  pathOf,
  TERMINAL_PATH,
} from "@rport/protocol/http";
import { ADMINISTRATORS, PERMISSIONS, type Right } from "@rport/protocol/people/right";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";
import { ENDPOINT_PARAMS } from "../../support/backend/endpointParams.ts";
import { Members } from "../../support/backend/member.ts";

/** Whoever asks, by what they have; each is a user of that name. */
const ASKERS = [
  "administrator",
  "nobody's friend",
  "signing in",
  "reading administrator",
  "credentials' administrator",
  ...PERMISSIONS.flatMap((permission) => [`only ${permission}`, `all but ${permission}`]),
] as const;
type Asker = (typeof ASKERS)[number];

const NAMES = Object.keys(ENDPOINTS) as EndpointName[];
/** What changes nothing but what is the caller's own, or who the caller is. */
const OWN: readonly EndpointName[] = [
  ...(["login", "verifySecondFactor", "logout", "acceptInvitation", "updateMe"] as const),
  ...(["createToken", "updateToken", "deleteToken", "deleteTerminal"] as const),
  ...(["createTotpSecret", "confirmTotp", "deleteTotpSecret"] as const),
];
const tokens = new Map<Asker | "stranger", string>();
let backend: RunningBackend;

beforeAll(async () => {
  backend = await startBackend();
  const members = new Members(backend);
  for (const permission of PERMISSIONS) {
    await members.group(`only ${permission}`, permission);
    await members.group(`all but ${permission}`, ...PERMISSIONS.filter((p) => p !== permission));
  }
  const admin = [ADMINISTRATORS];
  const made = [
    await members.add("administrator", admin),
    await members.add("nobody's friend", []),
    await members.add("signing in", admin, "signingIn"),
    await members.add("reading administrator", admin, "read"),
    await members.add("credentials' administrator", admin, "clients-auth"),
  ];
  for (const asker of ASKERS.slice(made.length)) made.push(await members.add(asker, [asker]));
  for (const { name, token } of made) tokens.set(name, token);
});
afterAll(() => backend[Symbol.asyncDispose]());

/** Whether groups are enough, whatever was shown. */
function hasRight(asker: Asker, right: Right): boolean {
  if (right === "user" || asker.includes("administrator")) return true;
  if (right === "administrator") return false;
  const [, kind, permission] = /^(only|all but) (\w+)$/.exec(asker) ?? [];
  return kind === "only" ? permission === right : kind === "all but" && permission !== right;
}

/** What an asker has to be answered: let past the check, or the status of a refusal. */
function expected(asker: Asker | "stranger", name: EndpointName): "past" | 401 | 403 {
  const { right, method, path } = ENDPOINTS[name];
  if (right === "nobody") return "past";
  if (asker === "stranger") return 401;
  if (asker === "signing in") return right === "signingIn" ? "past" : 401;
  if (right !== "signingIn" && !hasRight(asker, right)) return 403;
  if (asker === "reading administrator" && method !== "GET") return 403;
  const isOfCredentials = path.startsWith("/clients-auth");
  return asker === "credentials' administrator" && !isOfCredentials ? 403 : "past";
}

/**
 * Asks with a parameter that nothing takes, and without a body: whoever is let past the check changes
 * nothing, and is told of one of the two, or that they see no such client.
 */
async function ask(asker: Asker | "stranger", name: EndpointName): Promise<"past" | number> {
  const token = tokens.get(asker);
  const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  const url = `${backend.url}${pathOf(name, ENDPOINT_PARAMS)}?colour=red`;
  const { status } = await fetch(url, { method: ENDPOINTS[name].method, headers });
  return [400, 404, 415].includes(status) ? "past" : status;
}

describe("S-19 each right alone, and missing", () => {
  it.each(NAMES)("opens what the table of endpoints says, and nothing else: %s", async (name) => {
    for (const asker of ["stranger", ...ASKERS] as const) {
      expect([asker, await ask(asker, name)]).toEqual([asker, expected(asker, name)]);
    }
  });

  it.each([
    ["nobody's friend", []],
    ...PERMISSIONS.map((permission) => {
      const changes = ["createTunnel", "deleteTunnel", "tryTarget"];
      return [`only ${permission}`, permission === "tunnels" ? changes : []] as const;
    }),
  ] as const)("lets %s change of what is others' only what is listed here", async (asker, may) => {
    const changing = NAMES.filter((name) => ENDPOINTS[name].method !== "GET");
    const past: EndpointName[] = [];
    for (const name of changing.filter((each) => !OWN.includes(each))) {
      if ((await ask(asker, name)) !== 403) past.push(name);
    }
    expect(past.sort()).toEqual(may);
  });

  it("is asked for by every endpoint but those of signing in", () => {
    const open = NAMES.filter((name) => ENDPOINTS[name].right === "nobody").sort();
    expect(open).toEqual(["acceptInvitation", "getServerFace", "login", "loginWithBasic"]);
  });

  it.each([
    [EVENTS_PATH, (asker: Asker) => !/^(signing|reading|credentials)/.test(asker)],
    [
      `${DIAL_PATH}?client_id=c&port=1`,
      (asker: Asker) => asker === "administrator" || hasRightAlone(asker, "tunnels"),
    ],
    [
      `${TERMINAL_PATH}?client_id=c`,
      (asker: Asker) => asker === "administrator" || hasRightAlone(asker, "terminal"),
    ],
  ])("opens the socket %s", async (path, may) => {
    for (const asker of ASKERS) {
      const granted = await isGranted(path, tokens.get(asker));
      expect([asker, granted]).toEqual([asker, may(asker)]);
    }
    expect(await isGranted(path, undefined)).toBe(false);
  });

  it("opens the figures", async () => {
    for (const asker of ASKERS) {
      const headers = { Authorization: `Bearer ${tokens.get(asker)}` };
      const { status } = await fetch(`${backend.url}/metrics`, { headers });
      const may = !/^(signing|credentials)/.test(asker) && hasRight(asker, "monitoring");
      const refusal = asker === "signing in" ? 401 : 403;
      expect([asker, status]).toEqual([asker, may ? 200 : refusal]);
    }
  });
});

/** Whether a socket is granted; it is closed at once. */
async function isGranted(path: string, token: string | undefined): Promise<boolean> {
  const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  const socket = new WebSocket(backend.url.replace("http", "ws") + path, { headers });
  const answer = Promise.withResolvers<boolean>();
  socket.once("open", () => answer.resolve(true));
  socket.once("unexpected-response", (_request, response) => {
    response.destroy();
    answer.resolve(false);
  });
  socket.on("error", () => {});
  const granted = await answer.promise;
  socket.terminate();
  return granted;
}

function hasRightAlone(asker: Asker, right: Right): boolean {
  return /^(only|all but)/.test(asker) && hasRight(asker, right);
}
