import { mkdir, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { readCredentialFile } from "../../../../backend/src/cli/credentialFile.ts";
import { readConfig } from "../../../../backend/src/config/config.ts";
import { DocumentFile } from "../../../../backend/src/store/document/documentFile.ts";
import { auditKeyOf, dataPaths } from "../../../../backend/src/store/files/dataDirectory.ts";
import { lastOwnerOf } from "../../../../backend/src/store/files/lock.ts";
import { ensureOwnCertificate } from "../../../../backend/src/tls/ownCertificate.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";
import { within } from "../../../support/within.ts";

/** A plain file, the system says, of no size: 256 GiB can be read of it. */
const PAGEMAP = "/proc/self/pagemap";

describe.skipIf(process.platform !== "linux")("S-46: of a file that goes on for ever", () => {
  test("no more is read than a configuration, its keys and its credentials may have", async () => {
    const start = { environment: {}, platform: "linux", home: "/home/me" } as const;
    const named = (text: string) => readConfig({ ...start, argv: text.split(" ") });
    expect(() => named(`--config ${PAGEMAP}`)).toThrow("larger than 1048576 bytes");
    await expect(within("an end", readCredentialFile(PAGEMAP))).rejects.toThrow("is larger than");
  });

  test("no more is read than what a server keeps may have", async () => {
    await using directory = await tempDirectory();
    const paths = dataPaths(directory.path);
    const { document, auditKey, ownCertificate: certFile, ownCertificateKey: keyFile } = paths;
    await mkdir(dirname(certFile));
    const lock = join(directory.path, "lock.json");
    for (const path of [document, auditKey, lock, certFile, keyFile]) await symlink(PAGEMAP, path);
    const files = { certFile, keyFile };
    const reading = new DocumentFile(document).read();
    await expect(within("a document", reading)).rejects.toThrow("is larger than");
    await expect(within("a key", auditKeyOf(paths))).rejects.toThrow("cannot be read");
    const ensuring = ensureOwnCertificate(files, { names: [], nowMs: 0 });
    await expect(within("a certificate", ensuring)).rejects.toThrow("larger than 1048576 bytes");
    expect(lastOwnerOf(directory.path)).toBeUndefined();
  });
});
