import { z } from "zod";
import { tlsPinSchema } from "./tls/tlsPin.ts";

/** Name of the file in a running backend's data directory, mode 0600, gone when it has stopped. */
export const ENDPOINT_FILE = "endpoint.json";

/** Largest such file that is read, in bytes. */
export const ENDPOINT_FILE_MAX_BYTES = 16_384;

/**
 * How an editor of the same person finds and enters a backend on the same machine. The token is
 * new at every start of the backend; the file's mode is what protects it.
 */
export const endpointFileSchema = z.object({
  /** Origin of the users' face, such as `http://127.0.0.1:8080`. */
  url: z.url({ protocol: /^https?$/ }).max(500),
  token: z.string().min(1).max(512),
  /** The server key, `SHA256:` form. */
  fingerprint: z.string().max(64),
  pid: z.number().int().positive(),
  /** How the program came to its machine: `editor` in the editor's extension; unknown words say nothing. */
  installation: z.string().max(20).optional(),
  /** The key that TLS is spoken with there, where it is; another one after a new certificate. */
  tlsPin: tlsPinSchema.optional(),
});

/** How an editor of the same person finds a backend on the same machine. */
export type EndpointFile = z.infer<typeof endpointFileSchema>;
