import { CLOSE_CODES } from "@rport/protocol/errors";
import { describe, expect, it } from "vitest";
import { startBackend } from "../support/backend/backend.ts";

describe("the event socket", () => {
  it("sends everything there is, then each change, without a gap in its numbers", async () => {
    await using backend = await startBackend();
    using events = backend.events();
    const snapshot = await events.snapshot();
    await backend.api("createCredential", { body: { id: "made-later" } });
    const made = await events.until((messages) =>
      messages
        .flatMap((m) => (m.type === "delta" ? m.changes : []))
        .find((change) => change.entity === "credential" && change.id === "made-later"),
    );
    await backend.api("deleteCredential", { params: { authId: "made-later" } });
    await events.until((messages) =>
      messages
        .flatMap((m) => (m.type === "delta" ? m.changes : []))
        .find((c) => c.entity === "credential" && c.id === "made-later" && c.value === null),
    );

    expect(snapshot.credentials.map(({ label }) => label)).toEqual(["First credential"]);
    expect(snapshot).toMatchObject({ clients: [], tunnels: [], pairings: [] });
    expect(snapshot.server.fingerprint_sha256).toBe(backend.fingerprint);
    expect(made).toMatchObject({ value: { id: "made-later", secrets_active: 1 } });
    const numbers = events.messages.map(({ seq }) => seq);
    expect(numbers).toEqual(numbers.map((_, n) => snapshot.seq + n));
  });

  it("shows a pairing as it is made, claimed and revoked", async () => {
    await using backend = await startBackend();
    using events = backend.events();
    const [credential] = (await events.snapshot()).credentials;
    const body = { credential_id: credential?.id ?? "" };
    const { pairing } = await backend.api("createPairing", { body });
    await backend.api("revokePairing", { params: { pairingId: pairing.id } });
    const seen = await events.until((messages) => {
      const text = messages.map((message) => JSON.stringify(message)).join("\n");
      return text.includes('"revoked"') ? text : undefined;
    });
    expect(seen).toContain(pairing.id);
  });

  it("starts again from the present after a reconnect", async () => {
    await using backend = await startBackend();
    using first = backend.events();
    await first.snapshot();
    first.socket.close();
    await first.closed;
    await backend.api("createCredential", { body: { id: "in-between" } });
    using second = backend.events();
    const ids = (await second.snapshot()).credentials.map(({ id }) => String(id));
    expect(ids).toContain("in-between");
  });

  it("S-19 ends when its token is revoked", async () => {
    await using backend = await startBackend();
    const { token, tokenId } = backend.backend.tokens.issue("somebody");
    using events = backend.events(token);
    await events.snapshot();
    backend.backend.tokens.revoke(tokenId);
    expect(await events.closed).toBe(CLOSE_CODES.unauthorized);
    using again = backend.events(token);
    expect(await again.closed).toBe(1006);
  });

  it("ends with the code for stopping when the server stops", async () => {
    const backend = await startBackend();
    using events = backend.events();
    await events.snapshot();
    await backend[Symbol.asyncDispose]();
    expect(await events.closed).toBe(CLOSE_CODES.stopping);
  });
});
