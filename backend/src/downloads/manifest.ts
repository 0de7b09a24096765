import { agentTargetSchema } from "@rport/protocol/serverStatus";
import { z } from "zod";

const fileName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const size = z.number().int().positive();
const scriptSchema = z.object({ name: fileName, sha256 });

const packedSchema = z.object({
  encoding: z.enum(["zstd", "xz", "gzip"]),
  name: fileName,
  size,
  sha256,
});

/** Stands for the target of what goes along with the agent. */
export const LICENCES = "licences";

/** A file of a release. */
export const fileSchema = z.object({
  name: fileName,
  target: agentTargetSchema,
  size,
  sha256,
  /** The same file, compressed: what installers fetch, while they check the file above. */
  packed: z.array(packedSchema).max(3),
});

/** The version of a release. */
export const versionSchema = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9.+-]{0,63}$/);

/** What a build writes about the files beside it. */
export const manifestSchema = z.object({
  version: versionSchema,
  files: z.array(fileSchema).max(64),
  /** The installers: for a shell, and for PowerShell where a build has it. */
  scripts: z.object({ sh: scriptSchema, ps1: scriptSchema.optional() }),
  /** Targets that a build of this version could have, and this one has not. */
  missing: z.array(agentTargetSchema).max(32),
});

/** The files of a release. */
export type Manifest = z.infer<typeof manifestSchema>;

/** One of them, or one that is packed: what can be fetched by name. */
export interface ManifestEntry {
  readonly name: string;
  readonly size: number;
  readonly sha256: string;
}

/** What stands under a name in a manifest. */
export function entryOf({ files }: Manifest, name: string): ManifestEntry | undefined {
  return files.flatMap((file) => [file, ...file.packed]).find((entry) => entry.name === name);
}
