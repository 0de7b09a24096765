import { authIdSchema, clientIdSchema } from "@rport/protocol/ids";
import { parseHostPort } from "@rport/protocol/remote";
import { t } from "@vscode/l10n";
import { z } from "zod";
import { baseUrlOf } from "../servers/config.ts";
import { isPlainLine, plainText } from "../support/text.ts";

/** A link that the editor hands over: nobody knows who wrote it. */
export interface RawLink {
  readonly path: string;
  /** As the editor has it: percent signs were taken away once. */
  readonly query: string;
  readonly fragment: string;
}

/** The longest link that is looked at, in characters of path and query. */
const LENGTH_MAX = 2_048;
/** More parameters than any route has are not looked at. */
const PARAMETERS_MAX = 8;
/** How much of a name that nobody knows is repeated to who is told of it. */
const REPEATED_MAX = 40;

const ADDRESS = /^[a-z][a-z0-9+.-]*:\/\//i;

const address = z
  .string()
  .max(500)
  .transform((text, context) => {
    const url = baseUrlOf(text);
    if (url === undefined || !isPlainLine(text)) context.addIssue({ code: "custom" });
    return url ?? "";
  });
const serverName = z.string().max(100).refine(isPlainLine);
const remote = z
  .string()
  .max(300)
  .transform((text, context) => {
    const found = parseHostPort(text);
    if (found === undefined) context.addIssue({ code: "custom" });
    return found ?? { host: "", port: 0 };
  });
const port = z
  .string()
  .regex(/^[1-9]\d{0,4}$/)
  .transform(Number)
  .pipe(z.number().max(65_535));
const fingerprint = z.string().regex(/^SHA256:[A-Za-z0-9+/]{43}$/);

const where = {
  /** What the server is called here, or its address. */
  server: z
    .union([z.string().regex(ADDRESS).pipe(address), serverName.regex(/^(?!.*:\/\/)/)])
    .optional(),
  fingerprint: fingerprint.optional(),
};

/** Where links lead, and what each may say. Nothing in here is a secret. */
const ROUTES = {
  "/client": z.strictObject({ ...where, id: clientIdSchema }),
  "/install": z.strictObject({ ...where, credential: authIdSchema.optional() }),
  "/tunnel": z.strictObject({
    ...where,
    client: clientIdSchema,
    remote,
    local: port.optional(),
  }),
  "/add-server": z.strictObject({
    server: address,
    fingerprint: fingerprint.optional(),
    name: serverName.optional(),
  }),
} as const;

type Routes = typeof ROUTES;

/** The path of a link. */
export type Route = keyof Routes;

/** What a link asks for; `server` is an address where it has `://` in it, else a name. */
export type Link = { [R in Route]: { readonly route: R } & Readonly<z.infer<Routes[R]>> }[Route];

/** A link, or why there is none, as a sentence for a person. */
export type Parsed = { readonly link: Link } | { readonly why: string };

/** Every parameter of some route; others may be anything, also a secret. */
const KNOWN = new Set(Object.values(ROUTES).flatMap(({ shape }) => Object.keys(shape)));

const SECRET = /token|secret|passw|pwd|auth|otp|jwt|bearer|cookie/i;

/** What is wrong with a parameter, when it is there. */
const WRONG: Readonly<Record<string, () => string>> = {
  server: () => t("server is neither the name of one nor an http or https address."),
  fingerprint: () => t("fingerprint is none: those are SHA256: and 43 characters."),
  id: () => t("id is not the ID of a client."),
  client: () => t("client is not the ID of a client."),
  credential: () => t("credential is not the ID of one."),
  remote: () => t("remote is neither a port nor host:port."),
  local: () => t("local is not a port from 1 to 65535."),
  name: () => t("name is not what a server can be called."),
};

const isRoute = (path: string): path is Route => Object.hasOwn(ROUTES, path);

/** Understands a link, or says what is wrong with it. */
export function parseLink({ path, query, fragment }: RawLink): Parsed {
  if (path.length + query.length > LENGTH_MAX) return { why: t("It is longer than any link.") };
  if (fragment !== "") return { why: t("No link has a # in it.") };
  if (!isRoute(path)) return { why: whyNoRoute(path) };
  const said = parametersOf(query);
  if ("why" in said) return said;
  const parsed = ROUTES[path].safeParse(Object.fromEntries(said.parameters));
  if (!parsed.success) return { why: whyNot(path, said.parameters, parsed.error) };
  const link = { route: path, ...parsed.data } as Link;
  if (link.server === undefined && link.fingerprint === undefined) {
    return { why: t("It names no server: it needs server or fingerprint.") };
  }
  return { link };
}

/**
 * What a log may have of a link: its route and the names of parameters that some route has. Whatever
 * else is in it may be a secret that somebody has put there.
 */
export function linkFacts({ path, query }: RawLink): Readonly<Record<string, string>> {
  const said = parametersOf(query.slice(0, LENGTH_MAX));
  const names = "why" in said ? [] : [...said.parameters.keys()].filter((name) => KNOWN.has(name));
  return { route: isRoute(path) ? path : "unknown", parameters: names.join(" ") };
}

function whyNoRoute(path: string): string {
  const known = Object.keys(ROUTES).join(", ");
  return t("{0} leads nowhere. Links lead to {1}.", repeated(path), known);
}

type Parameters = { readonly parameters: ReadonlyMap<string, string> } | { readonly why: string };

/** A `+` is a plus: fingerprints have some. */
function parametersOf(query: string): Parameters {
  const parameters = new Map<string, string>();
  const parts = query === "" ? [] : query.split("&");
  if (parts.length > PARAMETERS_MAX) return { why: t("It has more parameters than any link.") };
  for (const part of parts) {
    const [name, ...rest] = part.split("=").map(decoded);
    if (name === undefined || rest.includes(undefined)) {
      return { why: t("It has a percent sign that means nothing.") };
    }
    if (parameters.has(name)) return { why: t("It says {0} twice.", repeated(name)) };
    parameters.set(name, rest.join("="));
  }
  return { parameters };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function whyNot(route: Route, said: ReadonlyMap<string, string>, error: z.ZodError): string {
  const unknown = [...said.keys()].find((name) => !Object.hasOwn(ROUTES[route].shape, name));
  if (unknown !== undefined && SECRET.test(unknown)) {
    return t(
      "No link carries a secret, and this one has {0}. Whoever made it should end it.",
      repeated(unknown),
    );
  }
  if (unknown !== undefined) return t("{0} has no parameter {1}.", route, repeated(unknown));
  const name = String(error.issues[0]?.path[0] ?? "");
  if (!said.has(name)) return t("It needs the parameter {0}.", name);
  return WRONG[name]?.() ?? t("{0} cannot be understood.", name);
}

/** The beginning of something that a link says, as it can be shown. */
const repeated = (text: string) => plainText(text.slice(0, REPEATED_MAX)) || '""';
