import { readSmallFile } from "@rport/protocol/local/smallFile";
import { configuredDataDir } from "../config/dataDir.ts";
import { loadConfig } from "../config/loadConfig.ts";
import { normaliseServerUrl } from "../config/serverUrl.ts";
import type { Layout } from "../machine/layout.ts";
import type { Place } from "../machine/place.ts";
import { isPresent } from "../machine/placing.ts";
import type { Wrapper } from "../machine/platform.ts";
import type { Clock } from "../platform/clock.ts";
import { stateFileIn } from "../state/stateFile.ts";
import { isProcessAlive, waitOnline } from "../state/waitOnline.ts";
import { hashOfFile } from "./fileHash.ts";

/** An agent that lost its connection a moment ago is not taken for one that needs help. */
const ONLINE_GRACE_MS = 5_000;

/** What a place holds already. */
export interface Installation {
  readonly hasConfig: boolean;
  /** Its configuration names the server that was asked for. */
  readonly isEnrolledHere: boolean;
  /** Some version of the agent is there. */
  readonly hasProgram: boolean;
  /** Its program is the very one that runs now. */
  readonly isProgramCurrent: boolean;
  readonly isOnline: boolean;
}

/** Looks at a place without changing anything. */
export async function inspect(
  place: Place,
  wantedServer: string,
  { wrapper, clock }: { readonly wrapper: Wrapper; readonly clock: Clock },
): Promise<Installation> {
  const { layout } = place;
  const servers = await configuredServers(layout.config);
  const server = normaliseServerUrl(wantedServer);
  return {
    hasConfig: await isPresent(layout.config),
    isEnrolledHere: server.ok && servers.includes(server.url),
    hasProgram: await isPresent(layout.program),
    isProgramCurrent: await isCurrent(place, wrapper),
    isOnline: servers.length > 0 && (await isOnline(layout, clock, ONLINE_GRACE_MS)),
  };
}

/** Whether the agent of a place says within the time that it is connected. */
export async function isOnline(layout: Layout, clock: Clock, timeoutMs: number): Promise<boolean> {
  return (await whyOffline(layout, clock, timeoutMs)) === undefined;
}

/** Waits for the agent of a place; the answer is why it is not connected, or undefined. */
export async function whyOffline(
  layout: Layout,
  clock: Clock,
  timeoutMs: number,
): Promise<string | undefined> {
  const { config, dataDir } = layout;
  const stateFile = stateFileIn(await configuredDataDir(config, dataDir).catch(() => dataDir));
  const result = await waitOnline({ stateFile, timeoutMs, clock, isAlive: isProcessAlive });
  return result.kind === "online" ? undefined : result.message;
}

/** The servers of a configuration, normalised; none when it is missing or damaged. */
export async function configuredServers(file: string): Promise<readonly string[]> {
  return loadConfig(file).then(
    ({ servers }) => servers,
    () => [],
  );
}

async function isCurrent({ layout, self }: Place, wrapper: Wrapper): Promise<boolean> {
  if (self.kind === "executable") return isSameFile(self.file, layout.program);
  const wanted = wrapper.render(layout, self.node);
  const text = await readSmallFile(layout.program, Buffer.byteLength(wanted)).catch(() => "");
  if (text !== wanted) return false;
  return isSameFile(self.file, layout.bundle);
}

async function isSameFile(one: string, other: string): Promise<boolean> {
  if (!(await isPresent(other))) return false;
  const [first, second] = await Promise.all([hashOfFile(one), hashOfFile(other)]);
  return first === second;
}
