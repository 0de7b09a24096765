import { createSecretKey } from "node:crypto";
import { RportError } from "@rport/protocol/errors";
import { eventMessageSchema } from "@rport/protocol/events";
import { parseHostPort } from "@rport/protocol/remote";
import { decodeMessage } from "@rport/protocol/wire/connection/messages";
import { WireError } from "@rport/protocol/wire/wireError";
import { parseConfig } from "../../../agent/src/config/config.ts";
import { openEntry } from "../../../backend/src/audit/chain.ts";
import { checkSettings } from "../../../backend/src/config/check.ts";
import { fileSource } from "../../../backend/src/config/sources.ts";
import { StartFailure } from "../../../backend/src/platform/startFailure.ts";
import { parseDocument } from "../../../backend/src/store/document/documentText.ts";
import { parseAcl } from "../../../backend/src/tunnels/acl.ts";

/** Something that takes bytes from outside. */
export interface Parser {
  /** Reads, or refuses by what it answers or by an error of its own kind. */
  parse(bytes: Buffer): unknown;
  /** The one kind of error that it may throw. */
  readonly refusal?: abstract new (
    ...args: never[]
  ) => Error;
}

const KEY = createSecretKey(Buffer.alloc(32, 7));
const text = (bytes: Buffer) => bytes.toString("utf8");

/** Every parser that has a corpus, under the name of its file in `test/fixtures/corpus`. */
export const PARSERS: Readonly<Record<string, Parser>> = {
  message: { parse: (bytes) => decodeMessage(bytes), refusal: WireError },
  agentConfig: { parse: (bytes) => parseConfig(text(bytes), "rport.conf"), refusal: RportError },
  serverConfig: {
    parse: (bytes) => checkSettings(fileSource("rportd.conf", text(bytes))),
    refusal: StartFailure,
  },
  document: { parse: (bytes) => parseDocument(text(bytes)) },
  auditLine: { parse: (bytes) => openEntry(bytes, KEY) },
  hostPort: { parse: (bytes) => parseHostPort(text(bytes)) },
  acl: { parse: (bytes) => parseAcl(text(bytes)), refusal: RportError },
  eventMessage: {
    parse: (bytes) => eventMessageSchema.safeParse(JSON.parse(text(bytes))).success,
    // What is no JSON is refused before the schema.
    refusal: SyntaxError,
  },
};
