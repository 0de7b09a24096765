import { execFileSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  authorityPath,
  readAuthorities,
} from "../../../../extension/src/servers/trust/authorityFile.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";
import { testAuthority } from "../../../support/tls/testAuthority.ts";
import { testCertificate } from "../../../support/tls/testCertificate.ts";

/** Why a file with this in it is not taken. */
async function whyNot(content: string): Promise<string> {
  await using folder = await tempDirectory();
  const path = join(folder.path, "ca.pem");
  await writeFile(path, content);
  return readAuthorities(path).then(
    () => "taken",
    (error: Error) => error.message.replace(path, "PATH"),
  );
}

describe("a file of certificates that are trusted", () => {
  it("gives all certificates in it, whatever stands between them, and nothing of keys", async () => {
    const { certificate } = testAuthority();
    const own = testCertificate();
    await using folder = await tempDirectory();
    const path = join(folder.path, "ca.pem");
    const text = `# ours\r\n${certificate.replaceAll("\n", "\r\n")}\n${own.key}\n${own.certificate}`;
    await writeFile(path, text);
    const file = await readAuthorities(path);
    expect(file.certificates).toHaveLength(2);
    expect(file.certificates.join("")).not.toContain("PRIVATE");
    expect(await readAuthorities(path, file)).toBe(file);
    await writeFile(path, certificate);
    expect((await readAuthorities(path, file)).certificates).toEqual([certificate.trimEnd()]);
  });

  it("is refused with the setting, its path, and what is wrong with it", async () => {
    const { certificate } = testAuthority();
    const broken = certificate.replace(/\n[^\n]+\n-----END/, "\n-----END");
    const which = "The setting rport.tls.caFile names PATH, which cannot be used: ";
    expect(await whyNot("")).toContain(`${which}there is no certificate in it`);
    expect(await whyNot(testCertificate().key)).toContain("there is no certificate in it");
    expect(await whyNot(certificate + broken)).toContain("certificate 2 in it cannot be read");
    expect(await whyNot("x".repeat((1 << 20) + 1))).toContain("it has more than 1 MB");
    const many = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n".repeat(1_001);
    expect(await whyNot(many)).toContain("more than 1000 certificates");
  });

  it("keeps nobody waiting for a pipe, and is no folder", async () => {
    await using folder = await tempDirectory();
    const pipe = join(folder.path, "pipe");
    execFileSync("mkfifo", [pipe]);
    await expect(readAuthorities(pipe)).rejects.toThrow("it is not a file");
    const inner = join(folder.path, "folder");
    await mkdir(inner);
    await expect(readAuthorities(inner)).rejects.toThrow("it is not a file");
    await expect(readAuthorities(join(folder.path, "none"))).rejects.toThrow("no such file");
  });

  it("is named by a full path, or from one's home", () => {
    expect(authorityPath("~/ca.pem", "/home/anna")).toBe(join("/home/anna", "ca.pem"));
    expect(authorityPath("/etc/ca.pem", "/home/anna")).toBe("/etc/ca.pem");
    for (const path of ["ca.pem", "./ca.pem", "~anna/ca.pem"]) {
      expect(() => authorityPath(path, "/home/anna"), path).toThrow("not a full path");
    }
  });
});
