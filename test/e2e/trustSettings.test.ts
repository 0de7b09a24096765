import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, test } from "vitest";
import { startBackend } from "../support/backend/backend.ts";
import { tempDirectory } from "../support/tempDirectory.ts";
import { testAuthority } from "../support/tls/testAuthority.ts";
import { startTlsBackend, type TlsBackend } from "../support/tls/tlsBackend.ts";
import { openRport, photographFailures, type RportEditor } from "../support/vscode/rport.ts";
import { setSetting } from "../support/vscode/setUp.ts";
import { addByToken, FIELDS } from "../support/vscode/signIn.ts";
import type { Workbench } from "../support/vscode/workbench.ts";

const NAME = "rport.tls.caFile";

/** A server that an authority of the company vouches for, which no computer knows by itself. */
describe("an editor at a server with a company's own authority", () => {
  const resources = new AsyncDisposableStack();
  const authority = testAuthority();
  let server: TlsBackend;
  let caFile: string;
  let rport: RportEditor;
  let workbench: Workbench;

  beforeAll(async () => {
    const { path } = resources.use(await tempDirectory());
    caFile = join(path, "company.pem");
    await writeFile(caFile, authority.certificate);
    server = resources.use(await startTlsBackend({}, authority.issue()));
    const local = resources.use(await startBackend());
    const settings = { "rport.servers": [{ name: "Local Backend", url: "local" }] };
    const ofWorkspace = JSON.stringify({ [NAME]: caFile });
    const files = { ".vscode/settings.json": ofWorkspace };
    rport = resources.use(await openRport(local.dataDir, { settings, files }));
    workbench = rport.workbench;
    await rport.access.row("First credential").waitFor();
  });

  afterAll(() => resources.disposeAsync());
  photographFailures(() => workbench);

  test("does not believe it because a workspace does, and does when the person's setting says so", async () => {
    const { quickInput } = workbench;
    await workbench.command("RPort: Add Server...");
    await quickInput.answer(FIELDS.address, server.url);
    await quickInput.message.getByText("not from an authority").waitFor();
    await quickInput.cancel();
    await setSetting(workbench, { name: NAME, value: caFile });
    await workbench.command("RPort: Add Server...");
    await addByToken(workbench, server);
    await rport.clients.row(new RegExp(`:${server.port}.*0/0 online`)).waitFor();
    await workbench.screenshot("authority-trusted");
  });

  test("says what is wrong with the file, and connects again when it is right", async () => {
    const row = (text: string) => rport.clients.row(new RegExp(`:${server.port}.*${text}`));
    await setSetting(workbench, { name: NAME, value: `${caFile}.gone` });
    await workbench.toast("there is no such file").waitFor();
    await row("unreachable").waitFor();
    await workbench.screenshot("authority-file-missing");
    await setSetting(workbench, { name: NAME, value: caFile });
    await row("0/0 online").waitFor();
    await setSetting(workbench, { name: NAME });
    await row("unreachable").waitFor();
  });
});
