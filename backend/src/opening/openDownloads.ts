import type { Duplex } from "node:stream";
import type { ServerKey } from "@rport/protocol/wire/serverKey";
import { AgentFiles } from "../downloads/agentFiles.ts";
import { Downloads } from "../downloads/downloads.ts";
import type { Bounds } from "./openBounds.ts";
import type { ServicesOptions } from "./servicesOptions.ts";

/** What hosts fetch when they are paired. */
export interface FilesToFetch {
  readonly agentFiles: AgentFiles;
  readonly downloads: Downloads;
}

/** The files of a release, read once so that the log says early what is missing, and downloads. */
export async function openDownloads(
  { agentFiles: sources, clock, log }: ServicesOptions,
  { limits, sockets, serverKey }: Bounds & { readonly serverKey: ServerKey },
): Promise<FilesToFetch> {
  const onProgress = (socket: Duplex): void => sockets.stir(socket);
  const agentFiles = new AgentFiles(sources, serverKey, log);
  await agentFiles.current();
  return { agentFiles, downloads: new Downloads({ limits, clock, onProgress }) };
}
