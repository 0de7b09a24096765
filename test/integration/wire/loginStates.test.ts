import { authIdSchema } from "@rport/protocol/ids";
import { expect, it } from "vitest";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";
import { eventually } from "../../support/eventually.ts";
import { RawPeer, sshString } from "../../support/faults/rawPeer.ts";

const FLEET = authIdSchema.parse("fleet");
const OTHER = authIdSchema.parse("other");
const SERVICE = sshString("ssh-connection");

/** A peer that asked for the service and has not signed in; `onRefused` says how it goes on. */
async function peerOf({ url }: RunningBackend, onRefused?: (peer: RawPeer) => void) {
  const headers = { "Sec-WebSocket-Protocol": "rport-v1" };
  const given = onRefused === undefined ? {} : { onRefused };
  const peer = new RawPeer({ url: url.replace("http", "ws"), stage: "keys", headers, ...given });
  await peer.reached.promise;
  peer.engine.requestService("ssh-userauth");
  return peer;
}

async function credentials({ api }: RunningBackend) {
  const { password } = await api("createCredential", { body: { id: FLEET } });
  const other = await api("createCredential", { body: { id: OTHER } });
  return { password, other: other.password };
}

it("C-11: who tries one auth id and then signs in with another is the second one, everywhere", async () => {
  await using backend = await startBackend();
  const { password, other } = await credentials(backend);
  const peer = await peerOf(backend, (self) => self.engine.sendPassword(FLEET, password));
  // The right password of the other credential's name would be the stronger trick.
  peer.engine.sendPassword(OTHER, `${other}x`);
  await eventually(() => expect(peer.isIn).toBe(true));
  const { presence } = backend.backend;
  await eventually(() => expect(presence.ofCredential(FLEET)).toHaveLength(1));
  expect(presence.ofCredential(OTHER)).toEqual([]);
  const refusals = await backend.api("listRefusals");
  expect(refusals).toMatchObject([{ auth_id: OTHER, reason: "wrong-secret" }]);
  await backend.api("deleteCredential", { params: { authId: OTHER } });
  expect(presence.ofCredential(FLEET)).toHaveLength(1);
  await backend.api("deleteCredential", { params: { authId: FLEET }, query: { force: "true" } });
  await peer.ended.promise;
  expect(presence.ofCredential(FLEET)).toEqual([]);
});

it("C-26: after a refused login no request is taken, and the connection ends", async () => {
  await using backend = await startBackend();
  await credentials(backend);
  const request = Buffer.from([80, ...sshString("new_connection"), 1, 0x7b, 0x7d]);
  const peer = await peerOf(backend, (self) => self.send(request));
  peer.engine.sendPassword(FLEET, "wrong");
  await peer.ended.promise;
  expect(peer.isIn).toBe(false);
  expect(peer.received).toEqual([]);
  expect([...backend.backend.clients.list()]).toEqual([]);
});

it.each([
  ["none", []],
  ["publickey", [0, ...sshString("ssh-ed25519"), ...sshString("k".repeat(51))]],
  ["publickey", [1, ...sshString("ssh-rsa"), ...sshString("k"), ...sshString("signature")]],
  ["publickey", [0, ...sshString("ssh-ed25519-cert-v01@openssh.com"), ...sshString("k")]],
  ["hostbased", ["ssh-rsa", "k", "host", "root", "s"].flatMap((text) => [...sshString(text)])],
  ["keyboard-interactive", [...sshString(""), ...sshString("")]],
  ["gssapi-with-mic", [0, 0, 0, 0]],
])("C-09: nothing but a password signs in: %s", async (method, rest) => {
  await using backend = await startBackend();
  await credentials(backend);
  const peer = await peerOf(backend);
  peer.send(Buffer.from([50, ...sshString(FLEET), ...SERVICE, ...sshString(method), ...rest]));
  const isEnded = peer.ended.promise.then(() => true);
  const isRefused = eventually(() => expect(peer.refusals).toBeGreaterThan(0)).then(() => true);
  expect(await Promise.any([isEnded, isRefused])).toBe(true);
  expect(peer.isIn).toBe(false);
  expect(backend.backend.presence.ofCredential(FLEET)).toEqual([]);
});
