import { createHash } from "node:crypto";
import { z } from "zod";
import type { DocumentData } from "./documentData.ts";
import { documentDataSchema } from "./documentData.ts";

/** Tells our file from any other JSON. */
const FORMAT = "rport-backend";
/**
 * Grows with each change of `DocumentData` that an older program must not read: since 2 there are
 * people in it, and since 3 its writings are numbered.
 */
export const DOCUMENT_VERSION = 3;

const headSchema = z.object({ format: z.literal(FORMAT), schema_version: z.int().positive() });
const fileSchema = z.strictObject({
  format: z.literal(FORMAT),
  schema_version: z.literal([1, 2, DOCUMENT_VERSION]),
  /** Over the JSON of `data`. Someone who edits the file by hand removes this line. */
  sha256: z.string().optional(),
  data: z.unknown(),
});

/** A document, or in half a sentence ("is empty") what is wrong with its text. */
export type DocumentReading =
  | { readonly kind: "read"; readonly data: DocumentData }
  | { readonly kind: "wrong"; readonly what: string };

/** The text of the file: readable JSON with a checksum. */
export function formatDocument(data: DocumentData): string {
  const file = { format: FORMAT, schema_version: DOCUMENT_VERSION, sha256: digest(data), data };
  return `${JSON.stringify(file, null, 2)}\n`;
}

/** Reads what `formatDocument` wrote; anything else, however close, is `wrong`. */
export function parseDocument(text: string): DocumentReading {
  if (text.trim() === "") return wrong("is empty");
  if (text.startsWith("\u{FEFF}")) return wrong("begins with a byte order mark");
  const json = parseJson(text);
  if (json.kind === "wrong") return json;
  const head = headSchema.safeParse(json.value);
  if (!head.success) return wrong("is JSON, but not a document of this program");
  if (head.data.schema_version > DOCUMENT_VERSION) {
    return wrong(
      `has schema version ${head.data.schema_version}, written by a newer program ` +
        `(this one knows ${DOCUMENT_VERSION})`,
    );
  }
  return parseBody(json.value);
}

function parseBody(value: unknown): DocumentReading {
  const file = fileSchema.safeParse(value);
  if (!file.success) return wrong(issueOf(file.error));
  const { sha256, data } = file.data;
  if (sha256 !== undefined && sha256 !== digest(data)) {
    return wrong(
      "does not match its checksum: it is damaged, or was edited by hand " +
        "(in that case remove its sha256 line)",
    );
  }
  const parsed = documentDataSchema.safeParse(data);
  return parsed.success ? { kind: "read", data: parsed.data } : wrong(issueOf(parsed.error));
}

function parseJson(
  text: string,
): { readonly kind: "json"; readonly value: unknown } | { kind: "wrong"; what: string } {
  try {
    return { kind: "json", value: JSON.parse(text) };
  } catch {
    return wrong("is not JSON: it is cut off or damaged");
  }
}

function issueOf(error: z.ZodError): string {
  const issue = error.issues[0];
  const place = issue?.path.join(".") ?? "";
  return `is wrong${place === "" ? "" : ` at ${place}`}: ${issue?.message ?? "unknown"}`;
}

function wrong(what: string): { readonly kind: "wrong"; readonly what: string } {
  return { kind: "wrong", what };
}

function digest(data: unknown): string {
  return createHash("sha256")
    .update(JSON.stringify(data) ?? "")
    .digest("hex");
}
