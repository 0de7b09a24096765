import type { Client } from "@rport/protocol/model";
import type { NewPairing } from "@rport/protocol/pairing/endpoints";
import { SheetModel } from "../../../extension/src/install/sheetModel.ts";
import { pairing, snapshot } from "./entities.ts";
import type { FakeServer } from "./fakeServer.ts";
import { type ServerFixtureOptions, serverOn } from "./serverFixture.ts";

/** The id of the pairing that the sheet of a test has. */
export const PAIRING_ID = "0123456789ABCDEF";

/** The answer to the creation of a pairing, by a server that has lines for Linux and macOS. */
export function created(changes: Partial<NewPairing> = {}): NewPairing {
  return {
    pairing: pairing(PAIRING_ID),
    token: "TOKEN23456789ABCDEFGHJKMN",
    server_url: "https://rport.example.com",
    script_url: `https://rport.example.com/p/${PAIRING_ID}`,
    script_sha256: "ab".repeat(32),
    commands: [
      { platform: "linux", tool: "curl", text: "not ours" },
      { platform: "macos", tool: "curl", text: "not ours" },
    ],
    ...changes,
  };
}

/** What may differ from a sheet of a server that is elsewhere. */
export interface SheetFixtureOptions extends ServerFixtureOptions {
  readonly made?: Partial<NewPairing>;
}

/** A sheet on a fake server, with its first pairing. */
export async function openSheet(fake: FakeServer, options: SheetFixtureOptions = {}) {
  fake.greeting = snapshot();
  fake.reply = ({ method }) =>
    method === "POST" ? { status: 201, body: { data: created(options.made) } } : { status: 204 };
  const fixture = serverOn(fake, options);
  const arrived: string[] = [];
  const { server, clock } = fixture;
  const model = new SheetModel({
    server,
    authId: "fleet",
    clock,
    chosen: { platform: "linux", command: "curl" },
    cards: () => [{ card: "eth0", address: "192.0.2.10" }],
    onChange: () => undefined,
    onArrived: ({ clientId }) => arrived.push(clientId),
  });
  await model.renew();
  server.mirror.apply(snapshot({ pairings: [pairing(PAIRING_ID)] }));
  /** The server tells what has become of the pairing, and of a client. */
  const hear = (changes: Record<string, unknown>, host?: Client) => {
    const heard = pairing(PAIRING_ID, changes);
    server.mirror.maps.pairings.set(heard.id, heard);
    if (host !== undefined) server.mirror.maps.clients.set(host.id, host);
    model.update();
    return model.state;
  };
  return { ...fixture, model, arrived, hear };
}
