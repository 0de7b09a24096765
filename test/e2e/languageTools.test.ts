import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startAgent } from "../support/agents/agent.ts";
import { FLEET } from "../support/agents/hosts.ts";
import type { RunningBackend } from "../support/backend/backend.ts";
import { freePort } from "../support/freePort.ts";
import { openFleet, startFleet } from "../support/vscode/fleet.ts";
import { photographFailures, type RportEditor } from "../support/vscode/rport.ts";
import type { Workbench } from "../support/vscode/workbench.ts";

/** What a language model of the editor can do, called as the editor calls it. */
describe("the tools for language models", () => {
  const resources = new AsyncDisposableStack();
  let backend: RunningBackend;
  let password: string;
  let port: number;
  let rport: RportEditor;
  let workbench: Workbench;

  beforeAll(async () => {
    ({ backend, password } = await startFleet(resources, "lab"));
    const client = { fingerprint: backend.fingerprint, auth: `lab:${password}`, name: "lab-01" };
    const shut = { ...client, id: "lab-02", name: "lab-02", tunnel_allowed: [":9"] };
    for (const each of [{ ...client, id: "lab-01" }, shut]) {
      const agent = resources.use(await startAgent({ server: backend.url, client: each }));
      await agent.online();
    }
    const web = createServer((_, response) => response.end("a page of the host"));
    resources.defer(() => void web.close());
    await once(web.listen(0, "127.0.0.1"), "listening");
    ({ port } = web.address() as AddressInfo);
    rport = await openFleet(resources, backend);
    workbench = rport.workbench;
  });

  afterAll(() => resources.disposeAsync());
  photographFailures(() => workbench);

  /** What a tool answers, or why it refused. */
  const use = (name: string, input: object): Promise<string> =>
    workbench.inHost(
      async (vscode, tool, given) => {
        try {
          const options = { input: given, toolInvocationToken: undefined };
          const { content } = await vscode.lm.invokeTool(tool, options);
          return content.map((part) => (part as { value?: string }).value ?? "").join("");
        } catch (error) {
          return `refused: ${error instanceof Error ? error.message : error}`;
        }
      },
      name,
      input,
    );

  const allow = (value: string) =>
    workbench.inHost(async (vscode, tools) => {
      const configuration = vscode.workspace.getConfiguration("rport");
      await configuration.update("ai.tools", tools, vscode.ConfigurationTarget.Global);
    }, value);

  test("list hosts by the filter of the view, and say that names are no instructions", async () => {
    const listed = JSON.parse(
      await use("rport_list_clients", { filter: "status:online address:10.0.8.1" }),
    );
    expect(listed.clients.map(({ name }: { name: string }) => name)).toEqual(["web-01", "web-02"]);
    expect(listed).toMatchObject({ total: 2, shown: 2, note: expect.stringContaining("never") });
    expect(await use("rport_list_clients", { filter: "colour:red" })).toContain(
      'There is no "colour:"',
    );
  });

  test("tell of one host, by name or ID, and why one is offline", async () => {
    const { client } = JSON.parse(await use("rport_get_client", { client: "DB-01" }));
    expect(client).toMatchObject({ id: "machine-3", status: "online", credential: FLEET });
    const { diagnosis } = JSON.parse(await use("rport_diagnose_client", { client: "machine-5" }));
    expect(diagnosis).toContain("Why is build-arm offline?");
    expect(await use("rport_get_client", { client: "nobody" })).toContain('no client "nobody"');
    expect(await use("rport_get_client", { client: "db-01", colour: "red" })).toContain("colour");
  });

  test("tell of credentials without any secret", async () => {
    const answer = await use("rport_list_credentials", {});
    expect(JSON.parse(answer).credentials).toContainEqual(
      expect.objectContaining({ id: FLEET, clients_total: 5, clients_connected: 4 }),
    );
    expect(answer).not.toContain(password);
  });

  test("do nothing while they may only look, whoever asks", async () => {
    const refusal = 'The setting rport.ai.tools is "read".';
    expect(await use("rport_rotate_credential", { credential: FLEET })).toContain(refusal);
    expect(await use("rport_open_tunnel", { client: "lab-01", port })).toContain(refusal);
    await allow("off");
    expect(await use("rport_list_clients", {})).toContain('The setting rport.ai.tools is "off".');
  });

  test("open and close a tunnel, once a person has said so", async () => {
    await allow("readWrite");
    const opening = use("rport_open_tunnel", { client: "lab-01", port });
    const asked = workbench.dialog("Open a tunnel to lab-01 (lab-01) on Local Backend?");
    await asked.getByText("Server: Local Backend").waitFor();
    await asked.getByText(`Address: ${backend.url}`).waitFor();
    await workbench.screenshot("tool-open-tunnel");
    await workbench.answerDialog("Open a tunnel to lab-01 (lab-01)", "Yes");
    const { opened, found } = JSON.parse(await opening);
    expect(found).toBe("Something answers at its other end.");
    expect(await (await fetch(`http://${opened}/`)).text()).toBe("a page of the host");
    const listed = JSON.parse(await use("rport_list_tunnels", {}));
    expect(listed.tunnels[0]).toMatchObject({ address: opened, is_open: true, client: "lab-01" });
    const closing = use("rport_close_tunnel", { address: opened });
    await workbench.answerDialog(`Close the tunnel ${opened}?`, "Yes");
    expect(JSON.parse(await closing)).toEqual({ closed: opened });
    await expect(fetch(`http://${opened}/`)).rejects.toThrow();
  });

  test("open none that leads nowhere, and say why, as the command does", async () => {
    const closed = await freePort();
    const toNothing = use("rport_open_tunnel", { client: "lab-01", port: closed });
    await workbench.answerDialog("Open a tunnel to lab-01 (lab-01)", "Yes");
    const why = `Nothing listens on lab-01:${closed} (connection refused).`;
    expect(await toNothing).toBe(`refused: ${why} No tunnel was opened.`);
    const forbidden = use("rport_open_tunnel", { client: "lab-02", port });
    await workbench.answerDialog("Open a tunnel to lab-02 (lab-02)", "Yes");
    expect(await forbidden).toContain("tunnel_allowed");
    expect(JSON.parse(await use("rport_list_tunnels", {})).tunnels).toEqual([]);
    await expect.poll(() => rport.tunnels.labels()).toEqual([]);
  });

  test("find a tunnel that is open already, and do not call it tried", async () => {
    const open = async () => {
      const opening = use("rport_open_tunnel", { client: "lab-01", port });
      await workbench.answerDialog("Open a tunnel to lab-01 (lab-01)", "Yes");
      return JSON.parse(await opening);
    };
    const first = await open();
    const { opened, found } = await open();
    expect(opened).toBe(first.opened);
    expect(found).toContain("It was open already");
  });

  test("rotate a credential only when a person has seen whom it hits", async () => {
    const refused = use("rport_rotate_credential", { credential: FLEET });
    await workbench.dialog("Rotate web-fleet on Local Backend?").waitFor();
    await workbench.dialog("build-arm").waitFor();
    await workbench.screenshot("tool-rotate");
    await workbench.answerDialog("Rotate web-fleet", "Cancel");
    expect(await refused).toContain("refused:");
    expect((await backend.api("listCredentials")).find(({ id }) => id === FLEET)?.rotation).toBe(
      null,
    );
    const rotating = use("rport_rotate_credential", { credential: FLEET });
    await workbench.answerDialog("Rotate web-fleet", "Yes");
    expect(JSON.parse(await rotating)).toMatchObject({ rotating: FLEET, clients: 5 });
  });

  test("rotate none that was rotated while the person was asked", async () => {
    const asked = use("rport_rotate_credential", { credential: "lab" });
    await workbench.dialog("Rotate lab on Local Backend?").waitFor();
    await backend.api("rotateCredential", {
      params: { authId: "lab" },
      body: { grace_seconds: 0 },
    });
    await workbench.pane("Client Access").row("lab").filter({ hasText: "rotat" }).waitFor();
    const [before] = (await backend.api("listCredentials")).filter(({ id }) => id === "lab");
    await workbench.answerDialog("Rotate lab", "Yes");
    expect(await asked).toContain("has changed since the person was asked");
    const [after] = (await backend.api("listCredentials")).filter(({ id }) => id === "lab");
    expect(after?.rotated_at).toBe(before?.rotated_at);
  });
});
