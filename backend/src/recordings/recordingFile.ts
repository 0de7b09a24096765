import { type FileHandle, mkdir, open, readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type RecordingId, recordingIdSchema } from "@rport/protocol/terminal/recording";
import { codeOf, syncDirectory } from "../store/files/durableFile.ts";

const NAME = /^([0-9a-f]{32})-([1-9][0-9]{0,5})\.rec$/;

/** A recording that is written to; one call at a time. */
export interface OpenRecording {
  /** Appends all of `bytes`. May fail half-way. */
  append(bytes: Buffer): Promise<void>;
  /** Resolves when what was appended would survive a power cut. It holds no descriptor until the next call. */
  settle(): Promise<void>;
}

/** Makes the file of a recording, which must not exist yet, and its directory where that is missing. */
export type OpenRecordingFile = (path: string) => Promise<OpenRecording>;

/** Where a recording is. Some file systems take letters of both cases for the same, so its id is in digits. */
export function pathOf(directory: string, id: RecordingId): string {
  const [terminalId = "", part = ""] = id.split(".");
  const digits = Buffer.from(terminalId, "base64url").toString("hex");
  return join(directory, `${digits}-${part}.rec`);
}

/** The recordings in a directory, in no order; none when the directory is missing. */
export async function listRecordings(directory: string): Promise<readonly RecordingId[]> {
  const names = await readdir(directory).catch((caught: unknown) => {
    if (codeOf(caught) === "ENOENT") return [];
    throw caught;
  });
  return names.flatMap((name) => {
    const [, digits = "", part] = NAME.exec(name) ?? [];
    if (part === undefined) return [];
    const terminalId = Buffer.from(digits, "hex").toString("base64url");
    return recordingIdSchema.parse(`${terminalId}.${part}`);
  });
}

/** Opens a recording on the disk, which only its owner reads. */
export const openRecordingFile: OpenRecordingFile = async (path) => {
  const directory = dirname(path);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  let file: FileHandle | undefined = await open(path, "wx", 0o600);
  try {
    await syncDirectory(directory);
  } catch (caught) {
    await file.close().catch(() => undefined);
    await rm(path, { force: true }).catch(() => undefined);
    throw caught;
  }
  let length = 0;
  return {
    async append(bytes) {
      file ??= await open(path, "r+");
      await writeAll(file, bytes, length);
      length += bytes.length;
    },
    async settle() {
      const settled = file;
      file = undefined;
      try {
        await settled?.datasync();
      } finally {
        await settled?.close();
      }
    },
  };
};

/** A nearly full disk takes a part of a write and says so only by its count. */
async function writeAll(file: FileHandle, bytes: Buffer, offset: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, offset + done);
    done += bytesWritten;
  }
}
