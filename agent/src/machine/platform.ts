import type { Clock } from "../platform/clock.ts";
import type { AccessRights } from "./accessRights.ts";
import type { Account, Accounts } from "./account.ts";
import type { Inventory } from "./inventory.ts";
import type { Layout } from "./layout.ts";
import type { ListenerReader } from "./listeners.ts";
import type { IdReader, MachineDoors } from "./machineId.ts";
import type { Place } from "./place.ts";
import type { Programs } from "./programs.ts";
import type { ServiceSession } from "./serviceSession.ts";
import type { Shells } from "./shells.ts";
import type { Service, Supervisor } from "./supervisor.ts";

/**
 * Everything in which operating systems differ for the agent. One is chosen, once, where the
 * program begins (`platformOf`); nothing else asks which system this is.
 */
export interface Platform {
  /** For people, such as `macOS`. */
  readonly title: string;
  /** Where the agent keeps its state unless `client.data_dir` says otherwise. */
  readonly dataDir: string;
  /** Where this system keeps an id of the machine, in the order in which RPort's client looks. */
  idReaders(doors: MachineDoors): readonly IdReader[];
  readonly inventory: Inventory;
  /** Which ports somebody listens on; undefined: it is not known how to find out here. */
  readonly listeners?: ListenerReader;
  /** How shells are started; undefined: it is not known here. */
  readonly shells?: Shells;
  /**
   * How the agent is installed here. Throws a `CliFailure` with status 3 where that is not
   * possible.
   */
  installing(deps: InstallingDeps): Installing;
  /**
   * Tells the service manager that started this process that it is the service; only where one wants
   * to hear that. Rejects with a `CliFailure` when none did.
   */
  joinServiceManager?(): Promise<ServiceSession>;
}

/** The doors that installing goes through. */
export interface InstallingDeps {
  readonly programs: Programs;
  readonly clock: Clock;
}

/** How an operating system is installed on. */
export interface Installing {
  /** The places of an installation for the whole machine. */
  systemLayout(): Layout;
  /** The places of one below a directory of anybody's; an absolute path. */
  prefixLayout(prefix: string): Layout;
  /** Whether the caller may change the whole machine: root, or an administrator. */
  isPrivileged(): boolean;
  /**
   * Why the caller, where that may change the whole machine, neither starts nor changes what is at this
   * absolute path: a sentence that says which other account could exchange it, and what to do. Undefined
   * where nothing speaks against it.
   */
  whyNotAt(path: string): Promise<string | undefined>;
  readonly accounts: Accounts;
  readonly rights: AccessRights;
  readonly wrapper: Wrapper;
  /** Set where a program that runs can be neither replaced nor removed. */
  readonly locksPrograms?: true;
  /**
   * The service manager that runs this machine, by its state at run time, for an agent of that
   * place; undefined where there is none, or none for such a place.
   */
  service(place: Place): Promise<Service | undefined>;
  /** The service managers that are known, for people. */
  readonly serviceManagers: string;
  /** The agent of a place as a process without a service. */
  background(place: Place, as: BackgroundAs): Supervisor;
}

/** As whom, and by which note, a process runs. */
export interface BackgroundAs {
  /** Has to be there to start it, unless it runs as the one who calls. */
  readonly account: Account | undefined;
  /** Where its number is noted; the layout's own file unless given. */
  readonly pidFile?: string | undefined;
}

/** The small script by which people call an agent that Node runs. */
export interface Wrapper {
  /** Its text, for this Node, an absolute path. */
  render(layout: Layout, node: string): string;
  /** The Node in the text of such a script; undefined for whatever else it is. */
  nodeIn(text: string): string | undefined;
}
