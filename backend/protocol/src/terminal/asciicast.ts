import { z } from "zod";
import { TERMINAL, type TerminalSize } from "./terminal.ts";

/** What a recording's file is served and saved as; registered by nobody, but used by asciinema. */
export const CAST_EXTENSION = "cast";

/** Marks of ours, and sizes, are short; output comes in frames of 32 KiB. */
const DATA_MAX_CHARACTERS = 64 << 10;
/** Longest line of a recording: each character of its data may be written as six. */
export const CAST_LINE_MAX = 6 * DATA_MAX_CHARACTERS + 64;

/** What a recording says of itself, in the names of the format. */
export interface CastHeader {
  readonly size: TerminalSize;
  /** Since the epoch. */
  readonly startedAtMs: number;
  readonly title: string;
  /** The kind of terminal that programs were told (`TERM`). */
  readonly term: string;
}

/** What happened: output, a new size, or a mark of ours; input is never recorded. */
export type CastCode = "o" | "r" | "m";

/**
 * The first line of a recording in the format asciicast v2 (https://docs.asciinema.org/manual/asciicast/v2/):
 * a JSON object with the version, the size in characters, when it began in seconds since the epoch, a title,
 * and of the environment nothing but `TERM`. Without the end of the line, as all lines here.
 */
export function castHeader({ size, startedAtMs, title, term }: CastHeader): string {
  return JSON.stringify({
    version: 2,
    width: size.cols,
    height: size.rows,
    timestamp: Math.floor(startedAtMs / 1_000),
    title,
    env: { TERM: term },
  });
}

/** Any other line of it: `[seconds since the begin, code, data]`, with the seconds to the microsecond. */
export function castEvent(atMs: number, code: CastCode, data: string): string {
  return JSON.stringify([Math.round(atMs * 1_000) / 1e6, code, data]);
}

/** The data of an event of the code `r`. */
export function castSize({ cols, rows }: TerminalSize): string {
  return `${cols}x${rows}`;
}

const side = z.number().int().min(1).max(TERMINAL.sizeMax);
const headerSchema = z.object({ version: z.literal(2), width: side, height: side });
const eventSchema = z.tuple([
  z.number().nonnegative().max(1e9),
  z.string().max(16),
  z.string().max(DATA_MAX_CHARACTERS),
]);

/** One line of a recording as it is read: events of other codes, such as input, are no part of ours. */
export type CastLine =
  | { readonly kind: "header"; readonly size: TerminalSize }
  | { readonly kind: "output" | "mark"; readonly atMs: number; readonly text: string }
  | { readonly kind: "resize"; readonly atMs: number; readonly size: TerminalSize };

/** Reads one line; undefined: it is none of this format, or nothing that is shown. */
export function readCastLine(line: string): CastLine | undefined {
  const value = line.length > CAST_LINE_MAX ? undefined : parsed(line);
  if (!Array.isArray(value)) {
    const header = headerSchema.safeParse(value).data;
    return header && { kind: "header", size: { cols: header.width, rows: header.height } };
  }
  const [seconds = 0, code, data = ""] = eventSchema.safeParse(value).data ?? [];
  const atMs = seconds * 1_000;
  if (code === "o") return { kind: "output", atMs, text: data };
  if (code === "m") return { kind: "mark", atMs, text: data };
  const size = code === "r" ? sizeIn(data) : undefined;
  return size && { kind: "resize", atMs, size };
}

function sizeIn(data: string): TerminalSize | undefined {
  const [, cols = "", rows = ""] = /^(\d{1,4})x(\d{1,4})$/.exec(data) ?? [];
  const size = { cols: Number(cols), rows: Number(rows) };
  return side.safeParse(size.cols).success && side.safeParse(size.rows).success ? size : undefined;
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
