import { z } from "zod";
import { listOf } from "./asking/untilFault.ts";
import {
  authParams,
  dryRun,
  endpoint,
  goBoolean,
  listQuery,
  none,
  reportable,
} from "./endpointEntry.ts";
import { authIdSchema, clientIdSchema, secretIdSchema } from "./ids.ts";
import {
  credentialLimitsChangeSchema,
  credentialSchema,
  givenLimitsSchema,
  rotationSchema,
  secretSchema,
} from "./model.ts";
import { deletionReportSchema, rotationClientSchema } from "./report.ts";

/** A credential's first or further password: the only answer that ever contains it. */
export const newSecretSchema = z.object({
  id: authIdSchema,
  secret_id: z.string(),
  password: z.string(),
});

/** Endpoints of credentials, their secrets and their rotations. */
export const CREDENTIAL_ENDPOINTS = {
  listCredentials: endpoint({
    method: "GET",
    path: "/clients-auth",
    right: "administrator",
    params: none,
    query: listQuery,
    body: undefined,
    output: listOf(credentialSchema),
    status: 200,
  }),
  getCredential: endpoint({
    method: "GET",
    path: "/clients-auth/:authId",
    right: "administrator",
    params: authParams,
    query: none,
    body: undefined,
    output: credentialSchema,
    status: 200,
  }),
  createCredential: endpoint({
    method: "POST",
    path: "/clients-auth",
    right: "administrator",
    params: none,
    query: none,
    body: z.strictObject({
      /** Checked by the service, so that the refusal can say why. */
      id: z.string().max(128),
      /**
       * Absent: one is generated. Present: kept as a `typed` secret that many clients may share.
       */
      password: z.string().max(512).optional(),
      label: z.string().max(200).default(""),
      kind: z.enum(["host", "fleet"]).default("fleet"),
      limits: givenLimitsSchema.prefault({}),
    }),
    output: newSecretSchema,
    status: 201,
  }),
  /** `force` also when clients use it; `report=true` answers 200 with a report instead of 204. */
  deleteCredential: endpoint({
    method: "DELETE",
    path: "/clients-auth/:authId",
    right: "administrator",
    params: authParams,
    query: z.strictObject({
      force: goBoolean.optional(),
      purge: goBoolean.optional(),
      dry_run: goBoolean.optional(),
      report: goBoolean.optional(),
    }),
    body: undefined,
    output: deletionReportSchema,
    status: 200,
  }),
  /** What is absent stays; so does each limit that is absent. */
  updateCredential: endpoint({
    method: "PATCH",
    path: "/clients-auth/:authId",
    right: "administrator",
    params: authParams,
    query: none,
    body: z.strictObject({
      label: z.string().max(200).optional(),
      kind: z.enum(["host", "fleet"]).optional(),
      limits: credentialLimitsChangeSchema.optional(),
    }),
    output: credentialSchema,
    status: 200,
  }),
  /**
   * Deletes the credentials without clients and without open pairings, one by one: one that cannot
   * be deleted keeps none of the others.
   */
  purgeUnused: endpoint({
    method: "POST",
    path: "/clients-auth/purge-unused",
    right: "administrator",
    params: none,
    query: none,
    body: z.strictObject({ dry_run: z.boolean().default(false) }),
    output: z.object({
      credentials: listOf(authIdSchema),
      /** Those that could not be deleted, or not durably (`NOT_DURABLE`), and why. */
      failed: listOf(z.object({ id: authIdSchema, code: z.string(), title: z.string() })).default(
        [],
      ),
    }),
    status: 200,
  }),
  /** Ends one secret; `report=true` answers 200 with a report instead of 204. */
  revokeSecret: endpoint({
    method: "DELETE",
    path: "/clients-auth/:authId/secrets/:secretId",
    right: "administrator",
    params: authParams.extend({ secretId: secretIdSchema }),
    query: reportable,
    body: undefined,
    output: deletionReportSchema,
    status: 200,
  }),
  listSecrets: endpoint({
    method: "GET",
    path: "/clients-auth/:authId/secrets",
    right: "administrator",
    params: authParams,
    query: none,
    body: undefined,
    output: listOf(secretSchema),
    status: 200,
  }),
  addSecret: endpoint({
    method: "POST",
    path: "/clients-auth/:authId/secrets",
    right: "administrator",
    params: authParams,
    query: none,
    body: z.strictObject({ password: z.string().max(512).optional() }),
    output: newSecretSchema,
    status: 201,
  }),
  /** Where each client stands; `rotation` is null and the list empty when none is under way. */
  getRotation: endpoint({
    method: "GET",
    path: "/clients-auth/:authId/rotation",
    right: "administrator",
    params: authParams,
    query: none,
    body: undefined,
    output: z.object({
      rotation: rotationSchema.nullable(),
      clients: listOf(rotationClientSchema),
    }),
    status: 200,
  }),
  /** The old secrets stop now. The report says who is cut or, with `dry_run`, would be. */
  finishRotation: endpoint({
    method: "POST",
    path: "/clients-auth/:authId/rotation/finish",
    right: "administrator",
    params: authParams,
    query: dryRun,
    body: undefined,
    output: deletionReportSchema,
    status: 200,
  }),
  /** The old secrets are as good as before; clients that have moved keep their new one. */
  cancelRotation: endpoint({
    method: "DELETE",
    path: "/clients-auth/:authId/rotation",
    right: "administrator",
    params: authParams,
    query: none,
    body: undefined,
    output: undefined,
    status: 204,
  }),
  /**
   * `grace_seconds` 0: old secrets stop as soon as every connected client has moved, could not be
   * moved, or was asked ten seconds ago; after a minute in any case. Null: when every client has moved.
   */
  rotateCredential: endpoint({
    method: "POST",
    path: "/clients-auth/:authId/rotate",
    right: "administrator",
    params: authParams,
    query: dryRun,
    body: z.strictObject({ grace_seconds: z.number().int().min(0).max(31_536_000).nullable() }),
    output: rotationSchema.extend({
      /** Connected clients that cannot be moved (Go clients): they need a fresh snippet. */
      unmovable: listOf(clientIdSchema),
      /** Where each client stands at the beginning. */
      clients: listOf(rotationClientSchema).default([]),
      /** Open pairings that end at once, because there is no grace. */
      pairings: z.number().int().nonnegative().default(0),
    }),
    status: 200,
  }),
} as const;
