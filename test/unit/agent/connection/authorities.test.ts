import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { trustedAuthorities } from "../../../../agent/src/connection/authorities.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";

const SELF_SIGNED = new URL("../../../fixtures/self-signed-localhost.pem", import.meta.url);

/** Two stores with a certificate each, which differ in a remark. */
async function stores() {
  const directory = await tempDirectory();
  const certificate = await readFile(SELF_SIGNED, "utf8");
  const store = async (name: string) => {
    const text = `# ${name}\n${certificate}`;
    await writeFile(join(directory.path, name), text);
    return { file: join(directory.path, name), text };
  };
  const [system, other] = [await store("system"), await store("other")];
  return { ...directory, system, other, missing: join(directory.path, "missing") };
}

describe("whom an agent trusts", () => {
  it("is the first store of the system that is there, as it is now", async () => {
    await using at = await stores();
    const files = [at.missing, at.system.file, at.other.file];
    expect(await trustedAuthorities({}, files)).toEqual([at.system.text]);
    await writeFile(at.system.file, at.other.text);
    expect(await trustedAuthorities({}, files)).toEqual([at.other.text]);
    await writeFile(at.system.file, "no certificate");
    expect(await trustedAuthorities({}, files)).toEqual([at.other.text]);
  });

  it("is what SSL_CERT_FILE names instead, and what NODE_EXTRA_CA_CERTS adds", async () => {
    await using at = await stores();
    const [system, other] = [at.system.file, at.other.file];
    expect(await trustedAuthorities({ SSL_CERT_FILE: other }, [system])).toEqual([at.other.text]);
    expect(await trustedAuthorities({ SSL_CERT_FILE: at.missing }, [system])).toEqual([
      at.system.text,
    ]);
    expect(await trustedAuthorities({ NODE_EXTRA_CA_CERTS: other }, [system])).toEqual([
      at.system.text,
      at.other.text,
    ]);
    expect(await trustedAuthorities({ NODE_EXTRA_CA_CERTS: at.missing }, [system])).toEqual([
      at.system.text,
    ]);
  });

  it("is the runtime's own list on a Linux without a store", async (ctx) => {
    ctx.skip(process.platform !== "linux", "other systems keep theirs in no file");
    await using at = await stores();
    expect(await trustedAuthorities({}, [at.missing])).toBeUndefined();
  });
});
