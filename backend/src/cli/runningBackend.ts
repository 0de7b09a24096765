import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ENDPOINT_FILE, type EndpointFile } from "@rport/protocol/endpointFile";
import { RportError } from "@rport/protocol/errors";
import type { EndpointCall, EndpointName, EndpointOutput } from "@rport/protocol/http";
import { readEndpoint } from "@rport/protocol/local/endpointReader";
import type { OneConnection } from "@rport/protocol/local/oneConnection";
import { proveServer } from "@rport/protocol/local/proveServer";
import { restAnswer, restRequest } from "@rport/protocol/restClient";
import { StartFailure } from "../platform/startFailure.ts";
import { codeOf } from "../store/files/durableFile.ts";

/** An answer of the REST API takes at most this long. */
const TIMEOUT_MS = 30_000;

/**
 * Calls an endpoint of the backend that runs with this data directory, as its own editor would: over
 * a connection on which it has proven to be that backend, so no token travels. Answers what stands
 * in `data`. Fails with the server's own `RportError`; with a `StartFailure` that says what to do
 * when no backend runs there, or another program answers in its place.
 */
export async function callRunning<N extends EndpointName>(
  dataDir: string,
  name: N,
  call: EndpointCall<N> = {},
): Promise<EndpointOutput<N>> {
  const { connection, authorization } = await enter(dataDir);
  try {
    const { path, method, headers: given, body } = restRequest(name, call);
    const headers = { ...given, authorization, connection: "close" };
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await connection.send(path, { method, headers, body, signal }).catch(lost);
    return await restAnswer(name, response);
  } finally {
    connection.close();
  }
}

async function enter(
  dataDir: string,
): Promise<{ readonly connection: OneConnection; readonly authorization: string }> {
  const endpoint = await endpointOf(dataDir);
  const { token, fingerprint, tlsPin } = endpoint;
  const url = new URL(endpoint.url).origin;
  const result = await proveServer({ url, token, fingerprint, tlsPin });
  switch (result.kind) {
    case "proven":
      return result;
    case "busy":
      throw notRunning("The backend is asked for too many proofs. Try again in a second.");
    case "refused":
      throw notRunning(
        `Another program answers at ${url}. It was told nothing. ${startFirst(dataDir)}`,
      );
    case "unreachable":
      throw notRunning(
        `The backend of ${dataDir} does not answer at ${url}. ${startFirst(dataDir)}`,
      );
  }
}

/** The file is believed when it belongs to whom the directory belongs to. */
async function endpointOf(dataDir: string): Promise<EndpointFile> {
  const path = join(dataDir, ENDPOINT_FILE);
  const read = await ownerOf(path)
    .then((owner) => readEndpoint(path, owner))
    .catch((caught: unknown) => {
      throw notRunning(whyUnreadable(path, codeOf(caught)));
    });
  if (read.kind === "found") return read.endpoint;
  throw notRunning(read.reason);
}

async function ownerOf(path: string): Promise<number | undefined> {
  const { uid } = await stat(dirname(path));
  return process.platform === "win32" ? undefined : uid;
}

function whyUnreadable(path: string, code: string): string {
  const dataDir = dirname(path);
  if (code === "ENOENT") return `No backend runs. ${startFirst(dataDir)}`;
  if (code === "EACCES")
    return `${path} cannot be read. Run this as the user of the backend, or as root.`;
  return `${path} cannot be read (${code}).`;
}

function startFirst(dataDir: string): string {
  return `Start it first, or name the right one with --data-dir or --config: ${dataDir} was looked at.`;
}

function notRunning(message: string): StartFailure {
  return new StartFailure("notRunning", message);
}

function lost(cause: unknown): never {
  throw new RportError("UNAVAILABLE", "The backend ended, or did not answer in time.", { cause });
}
