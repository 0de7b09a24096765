import { RportError } from "@rport/protocol/errors";
import type { EndpointCall, EndpointName } from "@rport/protocol/http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";

let backend: RunningBackend;
beforeAll(async () => {
  backend = await startBackend();
});
afterAll(() => backend[Symbol.asyncDispose]());

async function refused<N extends EndpointName>(name: N, call: EndpointCall<N>): Promise<string> {
  try {
    await backend.api(name, call);
  } catch (error) {
    if (error instanceof RportError) return `${error.status} ${error.code}`;
    throw error;
  }
  throw new Error(`${name} was not refused`);
}

describe("the status", () => {
  it("tells fingerprints, counts and how credentials are kept", async () => {
    const status = await backend.api("getStatus");
    expect(status).toMatchObject({
      fingerprint: backend.md5Fingerprint,
      fingerprint_sha256: backend.fingerprint,
      clients_connected: 0,
      clients_auth_mode: "Read Write",
      agent_targets: { available: ["node"], missing: ["linux-arm64"] },
    });
    expect(backend.md5Fingerprint).toMatch(/^([0-9a-f]{2}:){15}[0-9a-f]{2}$/);
    expect(backend.fingerprint).toMatch(/^SHA256:[A-Za-z0-9+/]{43}$/);
  });
});

describe("credentials", () => {
  it("S10 begin with exactly one, which has no password", async () => {
    await using fresh = await startBackend();
    const [first, ...others] = await fresh.api("listCredentials");
    expect(others).toEqual([]);
    expect(first).toMatchObject({ label: "First credential", secrets_active: 0 });
    expect(first?.id).toMatch(/^fleet-[a-z0-9]{6}$/);
  });

  it.each(["with/slash", "with space in it", "größe-数-🚀", "%2F%25", "a?b#c&d", "__proto__"])(
    "S27 can be called %j: created, read, extended, rotated, deleted",
    async (id) => {
      const made = await backend.api("createCredential", { body: { id, label: "A label" } });
      const params = { authId: id };
      const secret = await backend.api("addSecret", { params, body: {} });
      const shown = await backend.api("getCredential", { params });
      const rotation = await backend.api("rotateCredential", {
        params,
        body: { grace_seconds: 60 },
      });
      expect(made.password).toMatch(/^[A-Za-z0-9_-]{43}$/);
      expect(secret.secret_id).not.toBe(made.secret_id);
      expect(shown).toMatchObject({ id, label: "A label", secrets_active: 2 });
      expect(rotation).toMatchObject({ moved: 0, total: 0, unmovable: [] });
      expect(await backend.api("listSecrets", { params })).toHaveLength(2);
      expect(JSON.stringify(shown)).not.toContain(made.password);

      await backend.api("deleteCredential", { params });
      expect(await refused("getCredential", { params })).toBe("404 ERR_CODE_CLIENT_AUTH_NOT_FOUND");
    },
  );

  it("are listed by id in pages, with filters", async () => {
    for (const id of ["list-b", "list-a", "list-c"]) {
      await backend.api("createCredential", { body: { id } });
    }
    const query = { "filter[id]": "list-*", "page[limit]": "2" };
    const page = await backend.raw("GET", "/clients-auth", { query });
    expect(page.body).toMatchObject({
      data: [{ id: "list-a" }, { id: "list-b" }],
      meta: { count: 3 },
    });
  });

  it("answer a deletion with 204, or with a report when that is asked for", async () => {
    await backend.api("createCredential", { body: { id: "to-delete" } });
    const dry = await backend.raw("DELETE", "/clients-auth/to-delete", { query: { dry_run: "1" } });
    const again = await backend.raw("GET", "/clients-auth/to-delete");
    const done = await backend.raw("DELETE", "/clients-auth/to-delete");
    expect(dry).toMatchObject({
      status: 200,
      body: { data: { clients: [], disconnected: 0, pairings: 0 } },
    });
    expect(again.status).toBe(200);
    expect(done).toMatchObject({ status: 204, body: undefined });
  });

  it("keep RPort's codes for what is refused", async () => {
    await backend.api("createCredential", { body: { id: "taken" } });
    const params = { authId: "missing" };
    expect(await refused("createCredential", { body: { id: "taken" } })).toBe(
      "409 ERR_CODE_ALREADY_EXIST",
    );
    expect(await refused("createCredential", { body: { id: "a:b:c" } })).toBe(
      "400 ERR_CODE_INVALID_REQUEST",
    );
    expect(await refused("createCredential", { body: { id: "abcd", password: "short" } })).toBe(
      "400 ERR_CODE_INVALID_REQUEST",
    );
    expect(await refused("deleteCredential", { params })).toBe(
      "404 ERR_CODE_CLIENT_AUTH_NOT_FOUND",
    );
    expect(
      await refused("deleteCredential", { params: { authId: "taken" }, query: { force: "maybe" } }),
    ).toBe("400 ERR_CODE_INVALID_REQUEST");
    for (const name of ["listSecrets", "getCredential"] as const) {
      expect(await refused(name, { params })).toBe("404 ERR_CODE_CLIENT_AUTH_NOT_FOUND");
    }
    expect(await refused("addSecret", { params, body: {} })).toBe(
      "404 ERR_CODE_CLIENT_AUTH_NOT_FOUND",
    );
    expect(await refused("rotateCredential", { params, body: { grace_seconds: 0 } })).toBe(
      "404 ERR_CODE_CLIENT_AUTH_NOT_FOUND",
    );
    expect(
      await refused("rotateCredential", {
        params: { authId: "taken" },
        body: { grace_seconds: -1 },
      }),
    ).toBe("400 ERR_CODE_INVALID_REQUEST");
  });
});

describe("clients and tunnels of an empty server", () => {
  it("are empty lists", async () => {
    expect(await backend.api("listClients")).toEqual([]);
    expect(await backend.api("listTunnels")).toEqual([]);
  });

  it("are not found", async () => {
    const params = { clientId: "a/b c" };
    expect(await refused("getClient", { params })).toBe("404 NOT_FOUND");
    expect(await refused("deleteClient", { params })).toBe("404 NOT_FOUND");
    expect(await refused("createTunnel", { params, query: { remote: "22" } })).toMatch(/^404 /);
    expect(await refused("deleteTunnel", { params: { ...params, tunnelId: "1" } })).toMatch(
      /^404 /,
    );
  });

  it.each([
    ["an unknown filter", { "filter[colour]": "red" }],
    ["an unknown sort", { sort: "colour" }],
    ["two sorts of which one is unknown", { sort: "-" }],
    ["an unknown field", { "fields[clients]": "colour" }],
    ["fields of something else", { "fields[tunnels]": "id" }],
    ["a page of nothing", { "page[limit]": "0" }],
    ["something else", { colour: "red" }],
  ])("refuse %s", async (_name, query) => {
    expect(await refused("listClients", { query })).toBe("400 BAD_REQUEST");
  });

  it("refuse a tunnel without its remote, naming the field", async () => {
    const answer = await backend.raw("PUT", "/clients/abc/tunnels");
    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer.body)).toContain("remote");
  });
});

describe("pairings", () => {
  it("cannot be made before the agent's files are built, and the answer says how", async () => {
    await using bare = await startBackend({ agentFiles: "/nonexistent" });
    const [credential] = await bare.api("listCredentials");
    const body = { credential_id: credential?.id };
    const answer = await bare.raw("POST", "/pairings", { body });
    expect(answer.status).toBe(503);
    expect(JSON.stringify(answer.body)).toMatch(/UNAVAILABLE.*npm run package/);
  });

  it("need a credential that exists, and sensible figures", async () => {
    const missing = { credential_id: "missing" };
    expect(await refused("createPairing", { body: missing })).toBe(
      "404 ERR_CODE_CLIENT_AUTH_NOT_FOUND",
    );
    for (const wrong of [{ ttl_seconds: 59 }, { uses: 0 }, { uses: 101 }, { tags: [""] }]) {
      expect(await refused("createPairing", { body: { ...missing, ...wrong } })).toBe(
        "400 ERR_CODE_INVALID_REQUEST",
      );
    }
  });

  it("C-08: hand out the installer, which stays the same and consumes nothing", async () => {
    const [credential] = await backend.api("listCredentials");
    const made = await backend.api("createPairing", {
      body: { credential_id: credential?.id ?? "", uses: 1 },
    });
    const path = `/p/${made.pairing.id}`;
    const [first, second] = [await backend.page(path), await backend.page(path)];
    const [listed] = (await backend.api("listPairings")).filter(({ id }) => id === made.pairing.id);

    expect(first).toMatchObject({ status: 200, bytes: second.bytes });
    const names = await Promise.all(
      ["linux", "windows"].map(async (os) => {
        const { headers } = await fetch(`${backend.url}${path}?os=${os}`);
        return headers.get("content-disposition");
      }),
    );
    // `Get-Help .\install.ps1` is what the documents say.
    expect(names).toEqual([
      'attachment; filename="rport-installer.sh"',
      'attachment; filename="install.ps1"',
    ]);
    expect(first.sha256).toBe(made.script_sha256);
    expect(listed).toMatchObject({ state: "active", uses_left: 1 });
    expect(made.commands.map(({ platform, tool }) => [platform, tool])).toEqual([
      ["linux", "curl"],
      ["linux", "wget"],
      ["macos", "curl"],
    ]);
    for (const { text } of made.commands) expect(text).toContain(made.token);

    await backend.api("revokePairing", { params: { pairingId: made.pairing.id } });
    for (const other of [path, "/p/0000000000000000"]) {
      expect(await backend.page(other)).toMatchObject({ status: 200, bytes: first.bytes });
    }
    const malformed = await backend.page("/p/no-id");
    expect(malformed.status).toBe(404);
    expect(String(malformed.bytes)).toMatch(/exit 4/);
  });

  it("serve the agent's files by the names of the manifest, and no others", async () => {
    const { version, files } = backend.release;
    const [file] = files;
    const good = await backend.page(`/agent/${version}/${file?.name}`);
    expect(good).toMatchObject({ status: 200, sha256: file?.sha256 });
    expect(good.headers.get("content-length")).toBe(String(file?.size));
    expect(good.headers.get("etag")).toBe(`"${file?.sha256}"`);
    const others = ["manifest.json", "..%2Fsecret", "%2e%2e%2fsecret", "nothing"];
    for (const name of others) {
      expect((await backend.page(`/agent/${version}/${name}`)).status).toBe(404);
    }
    expect((await backend.page(`/agent/9.9.9/${file?.name}`)).status).toBe(404);
  });

  it("serve parts of a file to whoever was cut off, as long as it is the same file", async () => {
    const { version, files } = backend.release;
    const [file] = files;
    const url = `${backend.url}/agent/${version}/${file?.name}`;
    const whole = Buffer.from(await (await fetch(url)).arrayBuffer());
    const part = (range: string, etag = `"${file?.sha256}"`) =>
      fetch(url, { headers: { range, "if-range": etag } });

    const rest = await part("bytes=8-");
    expect(rest.status).toBe(206);
    expect(rest.headers.get("content-range")).toBe(`bytes 8-${whole.length - 1}/${whole.length}`);
    expect(Buffer.from(await rest.arrayBuffer())).toEqual(whole.subarray(8));
    const few = await part("bytes=2-4");
    expect(Buffer.from(await few.arrayBuffer())).toEqual(whole.subarray(2, 5));
    const changed = await part("bytes=8-", '"another"');
    expect([changed.status, (await changed.arrayBuffer()).byteLength]).toEqual([200, whole.length]);
    const behind = await part(`bytes=${whole.length}-`);
    expect([behind.status, behind.headers.get("content-range")]).toEqual([
      416,
      `bytes */${whole.length}`,
    ]);
    expect((await fetch(url)).headers.get("accept-ranges")).toBe("bytes");
  });

  it("refuse a claim that proves nothing with 404, always the same", async () => {
    const claim = {
      id: "0000000000000000",
      claimant: "A".repeat(22),
      proof: "A".repeat(43),
      client_id: "machine",
      hostname: "host",
    };
    const answer = await backend.page("/pair/v1/claim", claim);
    expect(answer.status).toBe(404);
    expect(String(answer.bytes)).toContain("PAIRING_NOT_FOUND");
    const wrong = await backend.page("/pair/v1/claim", { ...claim, extra: 1 });
    const large = await backend.page("/pair/v1/claim", { ...claim, hostname: "x".repeat(9_000) });
    expect([wrong.status, large.status]).toEqual([400, 413]);
  });
});
