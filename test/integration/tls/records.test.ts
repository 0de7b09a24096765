import { describe, expect, it } from "vitest";
import { type OwnRecords, ownRecords } from "../../support/tls/ownRecords.ts";
import { startTlsBackend } from "../../support/tls/tlsBackend.ts";

const STRANGER = "127.0.0.9";
const CONNECTIONS = 6;
/** On each, of some 30 us of work; there is room for them on the way to a server that does not read. */
const RECORDS = 1_500;
/** What one turn of the event loop may take: of a processor, so that others of this machine do not count. */
const TURN_MS = 80;

describe("F-14: records of TLS 1.3 with nothing but new keys in them", { timeout: 60_000 }, () => {
  it("are read a few in a turn, on however many connections, and hold up nobody else", async () => {
    await using backend = await startTlsBackend({ trustedProxies: ["10.9.9.9"] });
    using strangers = new DisposableStack();
    const own: OwnRecords[] = [];
    for (let n = 0; n < CONNECTIONS; n += 1) {
      const one = strangers.use(await ownRecords(backend.port, STRANGER));
      // It waits for the body for half a minute, and so for the records to be made.
      one.send(one.said(head(backend.port)));
      own.push(one);
    }
    const bursts = own.map((one) => [one.keyUpdates(RECORDS), one.said("{}")]);
    const answers = Promise.all(own.map((one) => one.answer()));
    for (const [at, burst] of bursts.entries()) own[at]?.send(...burst);
    expect(await longestTurnMs(answers)).toBeLessThan(TURN_MS);
    for (const answer of await answers) expect(answer).toMatch(/^HTTP\/1\.1 4/);
  });
});

/** Of a sign-in that lacks everything. */
function head(port: number): string {
  const lines = [
    "POST /api/v1/login HTTP/1.1",
    `Host: 127.0.0.1:${port}`,
    "Content-Type: application/json",
    "Content-Length: 2",
  ];
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** The most that one turn of this process takes of a processor until then. */
async function longestTurnMs(until: Promise<unknown>): Promise<number> {
  let longest = 0;
  let isOver = false;
  const end = (): void => {
    isOver = true;
  };
  void until.then(end, end);
  while (!isOver) {
    const before = process.threadCpuUsage();
    await new Promise((resolve) => setImmediate(resolve));
    const { user, system } = process.threadCpuUsage(before);
    longest = Math.max(longest, (user + system) / 1_000);
  }
  return longest;
}
