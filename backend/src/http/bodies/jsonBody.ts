import type { IncomingMessage } from "node:http";
import { JSON_DEPTH_MAX, whyTooMuchJson } from "@rport/protocol/asking/jsonSize";
import { RportError } from "@rport/protocol/errors";
import { Gathered } from "@rport/protocol/wire/gathered";

/** More than any has: a hundred envelopes of a deposit have some thousand, a group of clients two. */
const MEMBERS_MAX = 10_000;

/** How a body is read. */
export interface BodyReading {
  readonly maxBytes: number;
  /** Members and items of all objects and lists in it; a schema would name each that it does not know. */
  readonly maxMembers?: number;
  /** Resolves when what was read may be looked at: that may be a lot of work. */
  readonly turn: () => Promise<void>;
}

/**
 * Reads a request's body as JSON of at most `maxBytes`. Throws `UNSUPPORTED_MEDIA_TYPE` unless it
 * says `application/json` (which no web page can send without asking first), `TOO_LARGE`, or
 * `BAD_REQUEST` when it is empty, not UTF-8, not JSON, nested too deep, or has a `__proto__`.
 */
export async function jsonBody(
  request: IncomingMessage,
  { maxBytes, maxMembers = MEMBERS_MAX, turn }: BodyReading,
): Promise<unknown> {
  requireJson(request);
  const bytes = await readAtMost(request, maxBytes);
  await turn();
  if (bytes.length === 0) throw new RportError("BAD_REQUEST", "The request has no body.");
  requireSmall(bytes, maxMembers);
  const value = parse(bytes);
  requirePlain(value, { depth: 0, budget: { left: maxMembers } });
  return value;
}

/** Longer than the bodies that say nothing: `{}`, `null`, and white space around them. */
const NOTHING_MAX_BYTES = 64;

/**
 * Takes a request whose body would not be read. Throws `BAD_REQUEST` when it has one that says
 * something: whoever wrote it there expects that it counts.
 */
export async function noBody(request: IncomingMessage): Promise<undefined> {
  if (isWithoutBody(request)) return;
  const { "content-length": length = "0" } = request.headers;
  const saysSomething = new RportError(
    "BAD_REQUEST",
    "This request takes no body: all of it is in the path and the query.",
  );
  if (Number(length) > NOTHING_MAX_BYTES) throw saysSomething;
  const text = (await readAtMost(request, NOTHING_MAX_BYTES)).toString("utf8").trim();
  if (!["", "{}", "null"].includes(text)) throw saysSomething;
}

/** Whether the request's headers announce no body. */
export function isWithoutBody({ headers }: IncomingMessage): boolean {
  const { "content-length": length = "0", "transfer-encoding": encoding } = headers;
  return length === "0" && encoding === undefined;
}

function requireJson({ headers }: IncomingMessage): void {
  const [type = ""] = (headers["content-type"] ?? "").split(";");
  const encoding = headers["content-encoding"] ?? "identity";
  if (type.trim().toLowerCase() === "application/json" && encoding === "identity") return;
  throw new RportError(
    "UNSUPPORTED_MEDIA_TYPE",
    "The body must be sent as Content-Type: application/json, without compression.",
  );
}

/** Reads a body of at most `maxBytes`; throws `TOO_LARGE`. */
export async function readAtMost(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const tooLarge = (): RportError =>
    new RportError("TOO_LARGE", `The body is larger than ${maxBytes} bytes.`);
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) throw tooLarge();
  const body = new Gathered();
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    body.add(chunk);
    if (body.bytes > maxBytes) throw tooLarge();
  }
  return body.takeAll();
}

/** Refuses before it is parsed what would cost far more than its bytes. */
function requireSmall(bytes: Buffer, maxMembers: number): void {
  const why = whyTooMuchJson(bytes, maxMembers);
  if (why === "members") throw tooManyMembers();
  if (why === "depth") throw tooDeep();
}

function tooManyMembers(): RportError {
  return new RportError("BAD_REQUEST", "The body has too many members.");
}

function tooDeep(): RportError {
  return new RportError("BAD_REQUEST", "The body is nested too deep.");
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new RportError("BAD_REQUEST", "The body is not valid JSON in UTF-8.");
  }
}

/** `JSON.parse` makes `__proto__` an ordinary member, which a careless copy would turn harmful. */
function requirePlain(value: unknown, { depth, budget }: Place): void {
  if (typeof value !== "object" || value === null) return;
  if (depth >= JSON_DEPTH_MAX) throw tooDeep();
  if (Object.hasOwn(value, "__proto__")) {
    throw new RportError("BAD_REQUEST", "The body has a member that is not allowed: __proto__.");
  }
  const members = Object.values(value);
  budget.left -= members.length;
  if (budget.left < 0) throw tooManyMembers();
  for (const member of members) requirePlain(member, { depth: depth + 1, budget });
}

/** How deep a value lies, and how many members the body may still have. */
interface Place {
  readonly depth: number;
  readonly budget: { left: number };
}
