import { readFile, rm } from "node:fs/promises";
import type { Client } from "@rport/protocol/model";
import { z } from "zod";
import type { FleetChange } from "../servers/fleet.ts";
import { systemCode } from "../support/describeError.ts";
import { fairly } from "../support/fairly.ts";
import type { Log } from "../support/log.ts";
import { writeWhole } from "../support/wholeFile.ts";
import { type Host, hostOf } from "./hosts.ts";

/** As many as a file about them still is quick to read with, each time that `ssh` starts; of all servers together. */
const HOSTS_MAX = 20_000;
const FILE_MAX_CHARACTERS = 32 * 1024 * 1024;

const text = z.string().max(2_000);
const fileSchema = z
  .array(z.object({ serverKey: text, serverName: text, id: text, name: text, hostname: text }))
  .max(HOSTS_MAX);

/** Whether what hosts are called for `ssh`, or which there are, may be another thing after this change. */
export function concernsHosts(change: FleetChange): boolean {
  if (change.kind !== "server") return change.kind === "servers";
  if (change.change.kind !== "changed") return true;
  return change.change.changes.some(({ change: swap }) => {
    if (swap.entity !== "client") return false;
    const { before, after } = swap;
    return (
      before?.name !== after?.name || before?.hostname !== after?.hostname || !before || !after
    );
  });
}

/** A server as far as its hosts are told. */
export interface HostsOfServer {
  readonly key: string;
  readonly name: string;
  readonly state: { readonly kind: string };
  readonly mirror: { readonly maps: { readonly clients: ReadonlyMap<string, Client> } };
}

/** What knowing hosts needs. */
export interface KnownHostsDeps {
  /** Holds those of the last time. */
  readonly path: string;
  readonly servers: () => readonly HostsOfServer[];
  readonly log: Log;
}

/** The hosts of all configured servers; of one that is away, those that it had when it was last there. */
export class KnownHosts {
  readonly #deps: KnownHostsDeps;
  #last: readonly Host[] = [];
  #all: readonly Host[] | undefined;
  /** With those that there is no place for. */
  #everyone: readonly Host[] | undefined;
  #left = 0;
  #forgotten = 0;
  #loading: Promise<void> | undefined;
  #written = "";

  constructor(deps: KnownHostsDeps) {
    this.#deps = deps;
  }

  /** Those that are known now and `ssh` can be told of; the same list until something has changed. */
  get all(): readonly Host[] {
    this.#all ??= this.#look();
    return this.#all;
  }

  /** The same with those that are too many for `ssh`; the same list as `all` when there are none. */
  get everyone(): readonly Host[] {
    const { all } = this;
    if (this.#left === 0) return all;
    this.#everyone ??= this.#lists().flat();
    return this.#everyone;
  }

  /** Hosts or servers may be others than they were. */
  changed(): void {
    this.#all = undefined;
    this.#everyone = undefined;
  }

  /** Reads those of the last time, once; a file that is none counts as empty. */
  load(): Promise<void> {
    this.#loading ??= this.#load();
    return this.#loading;
  }

  /** Keeps those that are known now for the next time. */
  async remember(): Promise<void> {
    this.#last = keepable(this.all);
    this.#tellForgotten(this.all.length - this.#last.length);
    const now = JSON.stringify(this.#last);
    if (now === this.#written) return;
    await writeWhole(this.#deps.path, now);
    this.#written = now;
  }

  /** Forgets those of the last time. */
  async forget(): Promise<void> {
    this.#last = [];
    this.changed();
    this.#written = "";
    await rm(this.#deps.path, { force: true });
  }

  /** Those of each server. */
  #lists(): readonly (readonly Host[])[] {
    return this.#deps.servers().map((server): readonly Host[] => {
      if (server.state.kind !== "connected") {
        return this.#last.filter(({ serverKey }) => serverKey === server.key);
      }
      return [...server.mirror.maps.clients.values()].map((client) => hostOf(server, client));
    });
  }

  #look(): readonly Host[] {
    const servers = this.#lists();
    const hosts = fairly(servers, HOSTS_MAX, () => 1).flat();
    const all = servers.reduce((sum, { length }) => sum + length, 0);
    this.#tellLeft(all - hosts.length);
    return hosts;
  }

  #tellLeft(hosts: number): void {
    if (hosts > 0 && hosts !== this.#left) {
      this.#deps.log.warn("ssh is not told of all hosts: there are too many", {
        told: HOSTS_MAX,
        left: hosts,
      });
    }
    this.#left = hosts;
  }

  #tellForgotten(hosts: number): void {
    if (hosts > 0 && hosts !== this.#forgotten) {
      this.#deps.log.warn("not all hosts are kept for the next time: their names are too long", {
        kept: this.#last.length,
        left: hosts,
      });
    }
    this.#forgotten = hosts;
  }

  async #load(): Promise<void> {
    const { path, log } = this.#deps;
    try {
      const read = await readFile(path, "utf8");
      if (read.length > FILE_MAX_CHARACTERS) {
        log.warn("the file with the hosts of the last time is too large to be read");
        return;
      }
      this.#last = fileSchema.parse(JSON.parse(read));
      this.changed();
    } catch (error) {
      if (systemCode(error) === "ENOENT") return;
      log.warn("the hosts of the last time cannot be read");
    }
  }
}

/** Those that can be read again the next time: what one server says of its hosts takes no place from those of others. */
function keepable(hosts: readonly Host[]): readonly Host[] {
  const servers = Map.groupBy(hosts, ({ serverKey }) => serverKey);
  const room = FILE_MAX_CHARACTERS - "[]".length;
  return fairly([...servers.values()], room, (host) => `${JSON.stringify(host)},`.length).flat();
}
