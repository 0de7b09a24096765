import { Socket } from "node:net";

const { push, _read: read } = Socket.prototype;

/**
 * Whether a connection has something that nobody takes now. Node would go on reading up to 64 KiB,
 * and keep each read as a piece of its own: a byte each costs hundreds. The system keeps them as bytes.
 */
export function isStopped(socket: Socket): boolean {
  return socket.readableLength > 0 && socket.readableFlowing !== true;
}

/** As a socket's own `_read`, but begins only when what is there already is taken. */
export function readUnlessStopped(socket: Socket, size: number): void {
  if (isStopped(socket)) socket.once("resume", readOn);
  else read.call(socket, size);
}

/** Lets the system keep what comes for a connection while nobody reads it. */
export function stopWhileUnread(socket: Socket): void {
  Object.assign(socket, STOPPING);
}

const STOPPING: Pick<Socket, "push" | "_read"> = {
  push(this: Socket, arrival: Buffer | null): boolean {
    return push.call(this, arrival) && !isStopped(this);
  },
  _read(this: Socket, size: number): void {
    readUnlessStopped(this, size);
  },
};

function readOn(this: Socket): void {
  read.call(this, 0);
}
