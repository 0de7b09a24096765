import { type AuditRow, auditRowSchema } from "@rport/protocol/audit";
import { type RunningBackend, type StartOptions, startBackend } from "../backend/backend.ts";
import { FLEET, makeFleet } from "../backend/fleet.ts";
import { Members } from "../backend/member.ts";
import { eventually } from "../eventually.ts";
import { tempDirectory } from "../tempDirectory.ts";
import { TerminalHost, type TerminalHostOptions } from "./terminalHost.ts";
import { TerminalViewer, type TerminalViewerOptions } from "./terminalViewer.ts";

/** The client of the tests' host. */
export const HOST_ID = "web-01";

/** A backend, a host with terminals, and people who may have some there. */
export class TerminalScene implements AsyncDisposable {
  /** Another one after `restart`. */
  backend: RunningBackend;
  readonly members: Members;
  readonly password: string;
  readonly #options: StartOptions;
  readonly #resources: AsyncDisposableStack;

  private constructor(
    facts: Pick<TerminalScene, "backend" | "members" | "password">,
    options: StartOptions,
    resources: AsyncDisposableStack,
  ) {
    this.#options = options;
    this.backend = facts.backend;
    this.members = facts.members;
    this.password = facts.password;
    this.#resources = resources;
  }

  static async open(options: StartOptions = {}): Promise<TerminalScene> {
    await using resources = new AsyncDisposableStack();
    const dataDir = resources.use(await tempDirectory()).path;
    const backend = await startBackend({ dataDir, ...options });
    resources.use(backend);
    const password = await makeFleet({ call: backend.api });
    const members = new Members(backend);
    await members.group("Operators", "terminal");
    const facts = { backend, members, password };
    return new TerminalScene(facts, { dataDir, ...options }, resources.move());
  }

  /** A host that is in, and may be seen by the group `Operators`. */
  async host(options: Partial<TerminalHostOptions> = {}): Promise<TerminalHost> {
    const url = this.backend.url.replace("http", "ws");
    const { introduction, ...others } = options;
    const host = await TerminalHost.join({
      url,
      user: FLEET,
      password: this.password,
      introduction: { ID: HOST_ID, Name: HOST_ID, ...introduction },
      ...others,
    });
    this.#resources.use(host);
    await this.#show(String(introduction?.ID ?? HOST_ID));
    return host;
  }

  /** The server stops, and starts again with what it has on disk. */
  async restart(): Promise<void> {
    await this.backend[Symbol.asyncDispose]();
    this.backend = this.#resources.use(await startBackend(this.#options));
  }

  /** What `/metrics` says. */
  async figures(): Promise<string> {
    const { url, token } = this.backend;
    const headers = { Authorization: `Bearer ${token}` };
    return await (await fetch(`${url}/metrics`, { headers })).text();
  }

  /** A viewer of the host that has said nothing. */
  async connecting(options: Partial<TerminalViewerOptions> = {}): Promise<TerminalViewer> {
    return this.#resources.use(await TerminalViewer.connect(this.#with(options)));
  }

  /** A viewer of the host, as the person of local mode unless a token is given; it is attached. */
  async viewer(options: Partial<TerminalViewerOptions> = {}): Promise<TerminalViewer> {
    return this.#resources.use(await TerminalViewer.attach(this.#with(options)));
  }

  /** The same, which may be refused. */
  async asking(options: Partial<TerminalViewerOptions> = {}): Promise<TerminalViewer> {
    return this.#resources.use(await TerminalViewer.open(this.#with(options)));
  }

  /** Entries of the audit log about terminals, the oldest first, once there are so many. */
  async audited(count: number): Promise<readonly AuditRow[]> {
    return await eventually(async () => {
      const query = { "filter[application]": "client.terminal", sort: "timestamp" };
      const rows = await this.backend.api("listAudit", { query });
      if (rows.length < count) throw new Error(`${rows.length} of ${count} entries`);
      return rows.map((row) => auditRowSchema.parse(row)).sort((one, other) => one.seq - other.seq);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources[Symbol.asyncDispose]();
  }

  #with(options: Partial<TerminalViewerOptions>): TerminalViewerOptions {
    const { url, token } = this.backend;
    return { url, token, clientId: HOST_ID, ...options };
  }

  async #show(clientId: string): Promise<void> {
    const body = { allowed_user_groups: ["Operators"] };
    await this.backend.api("setClientAcl", { params: { clientId }, body });
  }
}
