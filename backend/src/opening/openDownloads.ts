import type { Duplex } from "node:stream";
import { AgentFiles } from "../downloads/agentFiles.ts";
import { Downloads } from "../downloads/downloads.ts";
import type { Bounds } from "./openBounds.ts";
import type { ServicesOptions } from "./servicesOptions.ts";

/** What hosts fetch when they are paired. */
export interface FilesToFetch {
  readonly agentFiles: AgentFiles;
  readonly downloads: Downloads;
}

/** The files of a release, and the downloads of them. */
export function openDownloads(
  { agentFiles: directory, clock, log }: ServicesOptions,
  { limits, sockets }: Bounds,
): FilesToFetch {
  const onProgress = (socket: Duplex): void => sockets.stir(socket);
  return {
    agentFiles: new AgentFiles(directory, log),
    downloads: new Downloads({ limits, clock, onProgress }),
  };
}
