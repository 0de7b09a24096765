import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { Forwarder } from "../../extension/src/tunnels/forwarder.ts";
import { startAgent } from "../support/agents/agent.ts";
import { type RunningBackend, startBackend } from "../support/backend/backend.ts";
import { eventually } from "../support/eventually.ts";
import { localServer } from "../support/extensionServer.ts";
import { tempDirectory } from "../support/tempDirectory.ts";

async function startClient(backend: RunningBackend, authId: string) {
  const { password } = await backend.api("createCredential", { body: { id: authId } });
  const { url, md5Fingerprint: fingerprint } = backend;
  const auth = `${authId}:${password}`;
  const client = { fingerprint, auth, id: "host-1", name: "web-01" };
  const agent = await startAgent({ server: url, client });
  await agent.online();
  return agent;
}

describe("the extension with a real backend", () => {
  it("finds the backend when it starts, and again after it was started anew with another token", async () => {
    await using directory = await tempDirectory();
    using local = localServer(directory.path);
    const { server } = local;
    await eventually(() =>
      expect(server.state).toMatchObject({
        kind: "waiting",
        reason: "No backend is running on this computer.",
      }),
    );
    const first = await startBackend({ dataDir: directory.path });
    await eventually(() => expect(server.state.kind).toBe("connected"));
    await first[Symbol.asyncDispose]();
    await eventually(() => expect(server.state.kind).toBe("waiting"));
    expect(server.mirror.isFilled).toBe(true);
    await using second = await startBackend({ dataDir: directory.path });
    await eventually(() => expect(server.state.kind).toBe("connected"));
    expect(second.token).not.toBe(first.token);
    expect(server.address).toBe(second.url);
  });

  it("sees a client come, reaches a port of it, and sees it go when its credential is deleted", async () => {
    await using backend = await startBackend();
    await using web = createServer((_, response) => response.end("hello"));
    web.listen(0, "127.0.0.1");
    await once(web, "listening");
    using local = localServer(backend.dataDir);
    const { server } = local;
    await using _agent = await startClient(backend, "web-fleet");
    await eventually(() => expect(server.clients.withStatus("online")).toEqual(["host-1"]));

    const remote = { host: "127.0.0.1", port: (web.address() as AddressInfo).port };
    const target = { access: server.access, clientId: "host-1", remote };
    const forwarder = await Forwarder.listen(target, [0]);
    const answer = await fetch(`http://127.0.0.1:${forwarder.port}/`, {
      headers: { connection: "close" },
    });
    expect(await answer.text()).toBe("hello");
    await eventually(() => expect(forwarder.connections).toBe(0));
    expect(forwarder.failure).toBeUndefined();

    const params = { authId: "web-fleet" };
    const rotated = await server.api.call("rotateCredential", {
      params,
      body: { grace_seconds: 0 },
    });
    expect(rotated.unmovable).toEqual([]);
    await eventually(() => {
      const credential = server.mirror.maps.credentials.get("web-fleet");
      expect(credential).toMatchObject({ rotation: null, clients_connected: 1 });
      expect(credential?.rotated_at).not.toBeNull();
    });

    const dry = await server.api.call("deleteCredential", { params, query: { dry_run: "true" } });
    expect(dry.clients).toMatchObject([{ id: "host-1", name: "web-01", connected: true }]);
    expect(server.clients.withStatus("online")).toEqual(["host-1"]);
    await server.api.call("deleteCredential", { params, query: { force: "true", report: "true" } });
    await eventually(() => {
      expect(server.clients.withStatus("offline")).toEqual(["host-1"]);
      expect(server.mirror.maps.credentials.has("web-fleet")).toBe(false);
    });

    await expect(fetch(`http://127.0.0.1:${forwarder.port}/`)).rejects.toThrow();
    await eventually(() => expect(forwarder.failure).toContain("not connected"));
    forwarder.close();
  });

  it("says when nothing listens on the port of the host", async () => {
    await using backend = await startBackend();
    using local = localServer(backend.dataDir);
    await using _agent = await startClient(backend, "web-fleet");
    const remote = { host: "127.0.0.1", port: 1 };
    const { access } = local.server;
    const forwarder = await Forwarder.listen({ access, clientId: "host-1", remote }, [0]);
    await expect(fetch(`http://127.0.0.1:${forwarder.port}/`)).rejects.toThrow();
    await eventually(() => expect(forwarder.failure).toContain("is something listening"));
    forwarder.close();
  });
});
