import { z } from "zod";
import { listOf } from "../asking/untilFault.ts";
import { endpoint, none } from "../endpointEntry.ts";
import { pairingIdSchema } from "../ids.ts";
import { tlsPinSchema } from "../tls/tlsPin.ts";
import { hostnameSchema } from "./hostname.ts";
import { pairingSchema } from "./model.ts";

/** One line to paste, made of constants only; it contains the token. */
const pairingCommandSchema = z.object({
  /** The hosts it is for: `linux`, `macos`, `windows`, `docker`. */
  platform: z.string(),
  /** What it fetches the installer with, such as `curl`, `wget` or `powershell`. */
  tool: z.string(),
  text: z.string(),
});

/** The answer that creates a pairing: the only one that contains the token. */
export const newPairingSchema = z.object({
  pairing: pairingSchema,
  token: z.string(),
  /** Where the installer is told to go; flags such as `--prefix` may be appended to a command. */
  server_url: z.string(),
  script_url: z.string(),
  script_sha256: z.string(),
  /** What hosts recognise the server by that come by TLS; absent: they trust its certificate. */
  tls_pin: tlsPinSchema.optional(),
  /** The lines for each platform and tool, the usual one first. */
  commands: listOf(pairingCommandSchema),
});

/** The answer that creates a pairing. */
export type NewPairing = z.infer<typeof newPairingSchema>;

const authIdText = z.string().max(128);

/** Endpoints of pairings. */
export const PAIRING_ENDPOINTS = {
  listPairings: endpoint({
    method: "GET",
    path: "/pairings",
    right: "administrator",
    params: none,
    query: none,
    body: undefined,
    output: listOf(pairingSchema),
    status: 200,
  }),
  createPairing: endpoint({
    method: "POST",
    path: "/pairings",
    right: "administrator",
    params: none,
    query: none,
    body: z.strictObject({
      credential_id: authIdText,
      ttl_seconds: z.number().int().min(60).max(3_600).optional(),
      uses: z.number().int().min(1).max(100).default(1),
      name: z.string().max(64).default(""),
      /** The only host that may claim it, by the name it has itself; empty: any. */
      hostname: z.union([hostnameSchema, z.literal("")]).default(""),
      /** `embedded`: at this server, also where its configuration names another service. */
      service: z.enum(["configured", "embedded"]).default("configured"),
      /**
       * Where the host is to reach this server, `http(s)://host[:port][/path]`; empty: as is configured,
       * or as this request came.
       */
      server_url: z.union([z.url({ protocol: /^https?$/ }).max(500), z.literal("")]).default(""),
      tags: z.array(z.string().min(1).max(64)).max(32).default([]),
    }),
    output: newPairingSchema,
    status: 201,
  }),
  revokePairing: endpoint({
    method: "DELETE",
    path: "/pairings/:pairingId",
    right: "administrator",
    params: z.object({ pairingId: pairingIdSchema }),
    query: none,
    body: undefined,
    output: undefined,
    status: 204,
  }),
};
