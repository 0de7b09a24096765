import type { ServerResponse } from "node:http";
import type { AgentFile } from "./agentFiles.ts";
import { type AskedHeaders, askedRange, type ByteRange } from "./byteRange.ts";

/** What somebody asks of a file, by its name. */
export interface FileRequest {
  readonly name: string;
  readonly headers: AskedHeaders;
}

/**
 * Sets status and headers of the answer to a request for a file, or for a part of it: whoever was cut
 * off goes on where it was, as long as the file is the same. Returns what is to be sent; undefined when
 * the file has no such part.
 */
export function describeFile(
  { size, sha256, hasParts }: Pick<AgentFile, "size" | "sha256" | "hasParts">,
  { name, headers }: FileRequest,
  response: ServerResponse,
): ByteRange | undefined {
  const etag = `"${sha256}"`;
  const asked = hasParts ? askedRange(headers, { size, etag }) : "all";
  response.setHeader("Accept-Ranges", hasParts ? "bytes" : "none");
  if (asked === "unsatisfiable") {
    response.statusCode = 416;
    response.setHeader("Content-Range", `bytes */${size}`);
    return undefined;
  }
  const part = asked === "all" ? { start: 0, end: size } : asked;
  response.setHeader("Content-Type", "application/octet-stream");
  response.setHeader("Content-Length", part.end - part.start);
  response.setHeader("ETag", etag);
  response.setHeader("Content-Disposition", `attachment; filename="${name}"`);
  if (asked !== "all") {
    response.statusCode = 206;
    response.setHeader("Content-Range", `bytes ${part.start}-${part.end - 1}/${size}`);
  }
  return part;
}
