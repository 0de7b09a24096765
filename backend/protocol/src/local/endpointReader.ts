import { ENDPOINT_FILE_MAX_BYTES, type EndpointFile, endpointFileSchema } from "../endpointFile.ts";
import { readOwnFile } from "./ownFile.ts";

/** What an endpoint file says, or why there is nothing to connect to, as a sentence. */
export type ReadEndpoint =
  | { readonly kind: "found"; readonly endpoint: EndpointFile }
  | { readonly kind: "absent"; readonly reason: string };

/**
 * Reads the endpoint file of a backend. It is believed only when nobody but `owner` (a numeric user
 * id; undefined where there are none) could have written it. Throws what opening and reading throw,
 * and for what is no JSON.
 */
export async function readEndpoint(path: string, owner: number | undefined): Promise<ReadEndpoint> {
  const read = await readOwnFile(path, { owner, maxBytes: ENDPOINT_FILE_MAX_BYTES });
  if (read.kind === "other") return absent(`${path} is not ours.`);
  if (read.kind === "exposed") {
    return absent(`${path} can be read or changed by other users, so it is not used.`);
  }
  const parsed = endpointFileSchema.safeParse(JSON.parse(read.text));
  if (!parsed.success) return absent(`${path} was written by another version.`);
  return { kind: "found", endpoint: parsed.data };
}

function absent(reason: string): ReadEndpoint {
  return { kind: "absent", reason };
}
