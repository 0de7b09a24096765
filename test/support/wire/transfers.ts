import { exchange, pattern, sha256, type TcpServer, tcpServer } from "./wireTunnel.ts";

const PARALLEL = 8;

/** Takes 8 bytes of sizes, that much data, and answers its hash and as much as was asked for. */
export function transferTarget(): Promise<TcpServer> {
  return tcpServer((socket) => {
    let received = Buffer.alloc(0);
    const chunks: Buffer[] = [];
    let size = 0;
    socket.on("data", (chunk) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size < 8) return;
      const head = Buffer.concat(chunks);
      chunks.splice(0, chunks.length, head);
      received = head;
      const [up, down] = [received.readUInt32BE(0), received.readUInt32BE(4)];
      if (size !== 8 + up) return;
      socket.end(Buffer.concat([Buffer.from(sha256(received.subarray(8))), pattern(down, up)]));
    });
  });
}

/** One transfer through a port that leads to a `transferTarget`: whether all arrived as it was. */
export async function transfer(port: number, index: number): Promise<boolean> {
  const up = index % 7 === 0 ? index % 3 : ((index * 2_654_435_761) % 1000) * 500 + 1;
  const down = index % 5 === 0 ? index % 2 : ((index * 40_503) % 1000) * 500 + 1;
  const head = Buffer.alloc(8);
  head.writeUInt32BE(up, 0);
  head.writeUInt32BE(down, 4);
  const data = pattern(up, index);
  const answer = await exchange(port, Buffer.concat([head, data]), "stay");
  const expected = Buffer.concat([Buffer.from(sha256(data)), pattern(down, up)]);
  return answer.equals(expected);
}

/** Runs as many of them, some at a time; answers how many came to true. */
export async function inParallel(
  count: number,
  run: (index: number) => Promise<boolean>,
): Promise<number> {
  let next = 0;
  let good = 0;
  const worker = async () => {
    for (let index = next++; index < count; index = next++) if (await run(index)) good += 1;
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  return good;
}
