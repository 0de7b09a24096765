/** A part of a file: from the byte `start` on, up to `end`, which is not in it any more. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** What a request asks of a file: all of it, a part, or a part that the file does not have. */
export type Asked = ByteRange | "all" | "unsatisfiable";

/** What of a request's headers says it. */
export interface AskedHeaders {
  readonly range?: string | undefined;
  readonly "if-range"?: string | string[] | undefined;
}

const ONE_RANGE = /^bytes=(\d{0,15})-(\d{0,15})$/;

/**
 * Reads `Range` and `If-Range` (RFC 9110, 14.2 and 13.1.5) for a file of `size` bytes. One range is
 * served; several, or what is no range of bytes, mean the whole file, as they do when the file is not
 * the one that the asker has begun with.
 */
export function askedRange(
  { range, "if-range": condition }: AskedHeaders,
  { size, etag }: { readonly size: number; readonly etag: string },
): Asked {
  const found = ONE_RANGE.exec(range ?? "");
  if (found === null || (condition !== undefined && condition !== etag)) return "all";
  const [, first = "", last = ""] = found;
  if (first === "") return last === "" ? "all" : lastBytes(Number(last), size);
  const start = Number(first);
  if (last !== "" && Number(last) < start) return "all";
  if (start >= size) return "unsatisfiable";
  return { start, end: last === "" ? size : Math.min(Number(last) + 1, size) };
}

function lastBytes(count: number, size: number): Asked {
  return count === 0 ? "unsatisfiable" : { start: Math.max(0, size - count), end: size };
}
