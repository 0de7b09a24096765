import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";

/** What a program that is no window does, with each line that it is told. */
export type Trick = (line: string, socket: Socket) => void;

/** The path of a seat, of this number, of the windows of a storage folder. */
export function seatPath(storage: string, n: number): string {
  return join(storage, "windows", `${n}.sock`);
}

/** Listens where the windows of a storage folder meet, and keeps what it is told. */
export async function strangeKeeper(storage: string, trick: Trick, n = 1) {
  await mkdir(join(storage, "windows"), { recursive: true, mode: 0o700 });
  const heard: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    hear(socket, (line) => {
      heard.push(line);
      trick(line, socket);
    });
  });
  await once(server.listen(seatPath(storage, n)), "listening");
  return {
    heard,
    [Symbol.dispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Comes to the window that has the seat of this number; `cut` resolves when it was sent away. */
export function strangeGuest(storage: string, trick: Trick = () => undefined, n = 1) {
  const socket = connect(seatPath(storage, n));
  const heard: string[] = [];
  const cut = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  hear(socket, (line) => {
    heard.push(line);
    trick(line, socket);
  });
  return {
    heard,
    cut,
    say: (message: unknown) => say(socket, message),
    write: (text: string) => socket.write(text),
    /** Waits for that many lines. */
    async lines(count: number): Promise<readonly string[]> {
      while (heard.length < count && !socket.destroyed) await once(socket, "data");
      return heard;
    },
    [Symbol.dispose]: () => void socket.destroy(),
  };
}

/** Sends a message as windows do. */
export function say(socket: Socket, message: unknown): void {
  socket.write(`${JSON.stringify(message)}\n`);
}

function hear(socket: Socket, take: (line: string) => void): void {
  let text = "";
  socket.on("error", () => undefined);
  socket.setEncoding("utf8").on("data", (piece) => {
    const lines = (text + String(piece)).split("\n");
    text = lines.pop() ?? "";
    for (const line of lines) take(line);
  });
}
