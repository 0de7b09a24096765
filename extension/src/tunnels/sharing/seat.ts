import { randomInt } from "node:crypto";
import { readdir, rm, stat } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { basename, join } from "node:path";
import { pause } from "../../support/clock.ts";
import { systemCode } from "../../support/describeError.ts";
import { ensureOwnFolder } from "./ownFolder.ts";
import { OwnSeat, type OwnSeatDeps } from "./ownSeat.ts";
import { markOf, seatFoldersOf } from "./seatFolders.ts";

/** How often a seat is tried for while others come and go. */
const TRIES = 20;
/** Two who stand up for each other come back after a time that differs, of at most this much. */
const BACK_OFF_MS = 100;

const SEAT = /^(?<n>\d{1,9})\.sock$/;

/** A seat that somebody else listens at; who that is has not been asked. */
export interface TakenSeat {
  readonly socket: Socket;
  /** Its name without its folder. */
  readonly seat: string;
}

/**
 * Takes the seat of which there is one on this computer for each storage folder, or connects to whoever has
 * it. A seat is a listening socket, so it ends with its process, however that ends.
 *
 * A socket's file outlives a process that was killed, and removing it could hit one that was made anew
 * meanwhile. So each seat has a number of its own, higher than all that lie there; who has just taken one looks
 * once more, and stands up when somebody else is there, too.
 */
export async function takeSeat(storage: string, deps: OwnSeatDeps): Promise<OwnSeat | TakenSeat> {
  if (process.platform === "win32") return takePipe(storage, deps);
  const [folder, ...elsewhere] = await seatFoldersOf(storage);
  await ensureOwnFolder(folder);
  const keeper = await firstIn(elsewhere);
  if (keeper !== undefined) return keeper;
  for (let left = TRIES; left > 0; left -= 1) {
    const numbers = await seatsIn(folder);
    const taken = await firstAlive(folder, numbers);
    if (taken !== undefined) return taken;
    const number = Math.max(0, ...numbers) + 1;
    const mine = await listenOn(pathOf(folder, number), deps);
    if (mine === undefined) continue;
    const others = (await seatsIn(folder)).filter((n) => n !== number);
    const rival = await firstAlive(folder, others);
    if (rival === undefined) {
      await Promise.all(others.map((n) => rm(pathOf(folder, n), { force: true })));
      return mine;
    }
    rival.socket.destroy();
    mine.close();
    await pause(randomInt(BACK_OFF_MS), deps.clock);
  }
  throw new Error("the windows of this computer do not agree on which of them holds the tunnels");
}

/** Connects to whoever has the seat of a storage folder; undefined when nobody has. Makes nothing there. */
export async function visitSeat(storage: string): Promise<TakenSeat | undefined> {
  if (process.platform === "win32") return connected(pipeOf(storage));
  return firstIn(await seatFoldersOf(storage));
}

/**
 * Whether somebody has left the seat of a storage folder since a time (milliseconds since the epoch), or whenever
 * without tidying up, and may come back; for one where nobody is. Named pipes do not tell.
 */
export async function isSeatLeft(storage: string, sinceMs: number): Promise<boolean> {
  if (process.platform === "win32") return false;
  const folders = await seatFoldersOf(storage);
  const left = await Promise.all(folders.map((folder) => isLeft(folder, sinceMs)));
  return left.includes(true);
}

/** Named pipes end with their process and leave nothing behind. */
async function takePipe(storage: string, deps: OwnSeatDeps): Promise<OwnSeat | TakenSeat> {
  const path = pipeOf(storage);
  for (let left = TRIES; left > 0; left -= 1) {
    const taken = await connected(path);
    if (taken !== undefined) return taken;
    const mine = await listenOn(path, deps);
    if (mine !== undefined) return mine;
    await pause(randomInt(BACK_OFF_MS), deps.clock);
  }
  throw new Error("the windows of this computer do not agree on which of them holds the tunnels");
}

async function isLeft(folder: string, sinceMs: number): Promise<boolean> {
  try {
    // the socket of a process that was killed is still there, and one that was closed has changed the folder
    return (await seatsIn(folder)).length > 0 || (await stat(folder)).mtimeMs >= sinceMs;
  } catch {
    return false;
  }
}

/** Whoever listens in one of these folders, which need not be there. */
async function firstIn(folders: readonly string[]): Promise<TakenSeat | undefined> {
  for (const folder of folders) {
    const numbers = await seatsIn(folder).catch((error: unknown) => {
      if (systemCode(error) === "ENOENT") return [];
      throw error;
    });
    const taken = await firstAlive(folder, numbers);
    if (taken !== undefined) return taken;
  }
  return undefined;
}

function pipeOf(storage: string): string {
  return `\\\\.\\pipe\\rport-tunnels-${markOf(storage)}`;
}

/** The numbers of all seats, the highest first. */
async function seatsIn(folder: string): Promise<number[]> {
  const numbers = (await readdir(folder)).map((name) => Number(SEAT.exec(name)?.groups?.n));
  return numbers.filter((n) => !Number.isNaN(n)).sort((one, other) => other - one);
}

async function firstAlive(
  folder: string,
  numbers: readonly number[],
): Promise<TakenSeat | undefined> {
  for (const n of numbers) {
    const taken = await connected(pathOf(folder, n));
    if (taken !== undefined) return taken;
  }
  return undefined;
}

function pathOf(folder: string, n: number): string {
  return join(folder, `${n}.sock`);
}

/** Undefined when nobody listens there. */
function connected(path: string): Promise<TakenSeat | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.removeAllListeners("error");
      socket.on("error", () => socket.destroy());
      resolve({ socket, seat: basename(path) });
    });
    socket.once("error", (error) => {
      const code = systemCode(error) ?? "";
      if (["ECONNREFUSED", "ENOENT"].includes(code)) resolve(undefined);
      else reject(error);
    });
  });
}

/** Undefined when somebody else has that path. */
function listenOn(path: string, deps: OwnSeatDeps): Promise<OwnSeat | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    const seat = new OwnSeat(server, { ...deps, seat: basename(path) });
    server.once("error", (error) => {
      if (systemCode(error) === "EADDRINUSE") resolve(undefined);
      else reject(error);
    });
    server.listen(path, () => {
      server.removeAllListeners("error");
      // what a person can do about it is nothing: whoever comes next tries again
      server.on("error", () => undefined);
      resolve(seat);
    });
  });
}
