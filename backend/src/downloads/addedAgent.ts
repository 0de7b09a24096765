import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { readSmallFile } from "@rport/protocol/local/smallFile";
import { z } from "zod";
import { fileSchema, type Manifest, type ManifestEntry, versionSchema } from "./manifest.ts";

/** Stands in the folder, beside the packed copies that it describes. */
const DESCRIPTION = "manifest.json";
const DESCRIPTION_MAX_BYTES = 65_536;

const addedSchema = z.object({
  version: versionSchema,
  /** The executable. It is here as its packed copies only. */
  file: fileSchema,
  /** The installer that installs it. */
  script: z.enum(["sh", "ps1"]),
  /** What stands in that script for it: words that neither shell takes for anything else. */
  line: z.string().regex(/^[A-Za-z0-9._: -]{1,500}$/),
});

type Added = z.infer<typeof addedSchema>;

/** The copy that is unpacked here for whoever can unpack none. */
const UNPACKABLE = "gzip";

/** Where the bytes of a file are. */
export interface Located {
  readonly entry: ManifestEntry;
  readonly path: string;
  /** Whether what is at the path has to be unpacked first. */
  readonly isPacked: boolean;
}

/** An executable of the agent that was installed beside the server, in a folder of its own. */
export class AddedAgent {
  readonly version: string;
  readonly file: Manifest["files"][number];
  readonly script: Added["script"];
  readonly line: string;
  readonly #folder: string;

  private constructor(folder: string, { version, file, script, line }: Added) {
    this.version = version;
    this.file = file;
    this.script = script;
    this.line = line;
    this.#folder = folder;
  }

  /** Reads what a folder says of itself. Throws when that is nothing of the kind, or of another target. */
  static async read(folder: string, target: string): Promise<AddedAgent> {
    const path = join(folder, DESCRIPTION);
    const added = addedSchema.parse(JSON.parse(await readSmallFile(path, DESCRIPTION_MAX_BYTES)));
    if (added.file.target !== target) throw new Error(`${path} is not for ${target}`);
    if (!added.file.packed.some(({ encoding }) => encoding === UNPACKABLE)) {
      throw new Error(`${path} names no copy that is packed with ${UNPACKABLE}`);
    }
    return new AddedAgent(folder, added);
  }

  /** Reads all copies once; throws when one is not what is written of it. */
  async verify(): Promise<void> {
    for (const { name, sha256 } of this.file.packed) {
      const path = join(this.#folder, name);
      if ((await hashOf(path)) !== sha256) throw new Error(`${path} is damaged`);
    }
  }

  /** A copy by its name, or the executable itself by its own. */
  locate(name: string): Located | undefined {
    const { file } = this;
    const isWhole = name === file.name;
    const copy = file.packed.find((one) =>
      isWhole ? one.encoding === UNPACKABLE : one.name === name,
    );
    if (copy === undefined) return undefined;
    const path = join(this.#folder, copy.name);
    return { entry: isWhole ? file : copy, path, isPacked: isWhole };
  }
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of createReadStream(path, { highWaterMark: 1_048_576 }))
    hash.update(piece);
  return hash.digest("hex");
}
