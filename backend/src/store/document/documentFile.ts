import { open } from "node:fs/promises";
import { basename } from "node:path";
import { RportError } from "@rport/protocol/errors";
import { readAtMost } from "@rport/protocol/local/smallFile";
import type { Adapter } from "lowdb";
import { StartFailure } from "../../platform/startFailure.ts";
import { codeOf, previousOf, type RequireHeld, writeDurably } from "../files/durableFile.ts";
import type { DocumentData } from "./documentData.ts";
import type { DocumentReading } from "./documentText.ts";
import { formatDocument, parseDocument } from "./documentText.ts";

/** Larger files are not ours; reading one would only exhaust the memory. */
const FILE_MAX_BYTES = 64 * 2 ** 20;

/** lowdb's adapter for the document: strict when it reads, durable when it writes. */
export class DocumentFile implements Adapter<DocumentData> {
  readonly path: string;
  readonly #requireHeld: RequireHeld | undefined;

  constructor(path: string, requireHeld?: RequireHeld) {
    this.path = path;
    this.#requireHeld = requireHeld;
  }

  /**
   * The document. Fails with a `StartFailure` that names the file, what is wrong with it, and what
   * to do; nothing on disk is changed.
   */
  async read(): Promise<DocumentData> {
    const reading = await readDocument(this.path);
    if (reading.kind === "read") return reading.data;
    throw new StartFailure("data", await this.#refusal(reading.what));
  }

  /**
   * Resolves when the document would survive a power cut. Fails with `UNAVAILABLE`, and writes
   * nothing, when it has become larger than `read` takes, or when `requireHeld` says no.
   */
  async write(data: DocumentData): Promise<void> {
    const text = formatDocument(data);
    if (Buffer.byteLength(text) > FILE_MAX_BYTES) {
      throw new RportError(
        "UNAVAILABLE",
        "There are too many users, tokens, sessions and groups of clients: remove some.",
      );
    }
    await writeDurably(this.path, text, {
      keepPrevious: true,
      requireHeld: this.#requireHeld,
    });
  }

  async #refusal(what: string): Promise<string> {
    const backup = previousOf(this.path);
    const isGood = (await readDocument(backup)).kind === "read";
    const advice = isGood
      ? "The generation before it is good, but lacks the last change: if that revoked something, it would " +
        "be good again, so the start then asks for --accept-lost-changes where the audit log knows of that " +
        "change. To go back to it, keep the file for inspection and copy: " +
        `cp -p '${backup}' '${this.path}'`
      : `${basename(backup)} is no readable backup either: restore the directory from your own.`;
    return `${this.path} ${what}. Nothing was changed. ${advice}`;
  }
}

async function readDocument(path: string): Promise<DocumentReading> {
  try {
    const text = await readText(path);
    return text === undefined
      ? { kind: "wrong", what: `is larger than ${FILE_MAX_BYTES} bytes` }
      : parseDocument(text);
  } catch (caught) {
    return { kind: "wrong", what: `cannot be read (${codeOf(caught) || "unknown reason"})` };
  }
}

async function readText(path: string): Promise<string | undefined> {
  const file = await open(path, "r");
  try {
    return (await readAtMost(file, FILE_MAX_BYTES))?.toString("utf8");
  } finally {
    await file.close();
  }
}
