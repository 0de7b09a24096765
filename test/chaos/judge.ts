import { isLetIn } from "../support/agents/peerAgent.ts";
import { allCredentials, lossesOf } from "../support/backend/credentialLosses.ts";
import { eventually } from "../support/eventually.ts";
import { allClients } from "./clientList.ts";
import type { Harm } from "./fault.ts";
import type { Meanwhile } from "./meanwhile.ts";
import type { Scene } from "./scene.ts";
import type { Holdings } from "./server.ts";
import type { Finding } from "./verdict.ts";
import type { Testimony } from "./witness.ts";

/** Whoever is not back by then counts as lost. */
const BACK_MS = 60_000;
/** Logins that are tried after a fault, of those that were answered. */
const LOGINS = 24;
/** Sessions of a deleted credential are gone by then, and stay so. */
const CUT_MS = 5_000;
/** A tunnel that nobody harms answers within this, on a machine with two cores for everything. */
const GAP_MS = 5_000;
/** What a process may hold more after a fault: records of the load, caches, statistics. */
const GROWTH_BYTES = 24 << 20;
const GROWTH_DESCRIPTORS = 24;
/** What has to become so, does so within this. */
const SETTLED_MS = 30_000;

/** How things were before the fault. */
export interface Before {
  readonly holdings: Holdings;
  /** Connections that the steady agents had lost. */
  readonly lost: number;
}

/** What is looked at. */
export interface Case {
  readonly scene: Scene;
  readonly harm: Harm;
  readonly meanwhile: Meanwhile;
  readonly before: Before;
}

/** How things are now, to be compared later. */
export async function lookBefore({ server, steady }: Scene): Promise<Before> {
  return { holdings: await server.holdings(), lost: (await steady.state()).lost };
}

/** Everything that has to hold after a fault, in order; the agents of the fault are gone then. */
export async function judge(given: Case): Promise<Finding[]> {
  const back = await everybodyIsBack(given);
  const heard = await given.meanwhile.settle();
  const findings = [
    ...back,
    service(given.harm, heard),
    await losses(given.scene),
    await sessions(given),
    await deletions(given),
    await editors(given.scene),
  ];
  await given.meanwhile[Symbol.asyncDispose]();
  return [...findings, await holdings(given)];
}

async function everybodyIsBack({ scene, harm, meanwhile, before }: Case): Promise<Finding[]> {
  const swarms = [scene.steady, scene.afar, meanwhile.newcomers];
  const states = await Promise.all(swarms.map((swarm) => swarm.allOnline(BACK_MS)));
  const online = states.reduce((sum, state) => sum + state.online, 0);
  const all = swarms.reduce((sum, { count }) => sum + count, 0);
  const isGood = states.every(({ isReached }) => isReached);
  const why = isGood ? "" : ` ${JSON.stringify(states.map(({ failures }) => failures))}`;
  const back = { what: "nobody is lost for good", isGood, seen: `${online} of ${all} in${why}` };
  if (harm === "cuts") return [back];
  const lost = (states[0]?.lost ?? 0) - before.lost;
  const seen = `${lost} of ${scene.steady.count} cut`;
  return [back, { what: "nobody else is cut", isGood: lost === 0, seen }];
}

function service(harm: Harm, heard: readonly Testimony[]): Finding {
  const cuts = heard.reduce((sum, one) => sum + one.cuts, 0);
  const trips = heard.reduce((sum, one) => sum + one.trips, 0);
  const longestMs = Math.max(...heard.map(({ longestGapMs }) => longestGapMs));
  const seen = `${trips} answers, ${cuts} cuts, ${(longestMs / 1_000).toFixed(2)} s at the longest`;
  if (harm === "none") {
    const isGood = cuts === 0 && longestMs < GAP_MS;
    return { what: "other agents are served meanwhile", isGood, seen };
  }
  const isGood = (harm === "cuts" || cuts === 0) && heard.every((one) => one.trips > 0);
  return { what: "tunnels go on afterwards", isGood, seen };
}

async function losses({ server, load }: Scene): Promise<Finding> {
  const found = await lossesOf({ api: server.calls, url: server.url }, load, LOGINS);
  const seen = found.length === 0 ? `${load.answered} answers` : found.slice(0, 5).join("; ");
  return { what: "nothing that was answered is lost", isGood: found.length === 0, seen };
}

/**
 * Everybody who is connected has a credential that is there and a secret that is good. An agent
 * whose line broke without a word takes itself for connected until it asks, so the server's count
 * is what is waited for.
 */
async function sessions(given: Case): Promise<Finding> {
  const look = () => lookAtSessions(given);
  await eventually(async () => {
    if (!(await look()).isGood) throw new Error("not yet");
  }, BACK_MS).catch(() => undefined);
  return await look();
}

async function lookAtSessions({ scene, meanwhile }: Case): Promise<Finding> {
  const credentials = await allCredentials({ api: scene.server.calls });
  const clients = [...(await allClients(scene.server.calls)).values()];
  const connected = clients.filter(({ connection_state: state }) => state === "connected");
  const ghosts = connected.filter(
    ({ client_auth_id: authId, secret }) =>
      credentials.get(authId)?.state !== "active" || secret === null || secret.state === "revoked",
  );
  const agents = scene.agents + meanwhile.newcomers.count;
  const isGood = ghosts.length === 0 && connected.length === agents;
  const seen = `${connected.length} sessions for ${agents} agents, ${ghosts.length} ghosts`;
  return { what: "nobody is in without a valid credential", isGood, seen };
}

/** Neither the agents of this fault's credential nor those of earlier ones come in. */
async function deletions({ scene, meanwhile }: Case): Promise<Finding> {
  const online = () => meanwhile.doomed.state().then((state) => state.online);
  await eventually(async () => {
    if ((await online()) > 0) throw new Error("some are still in");
  }, CUT_MS).catch(() => undefined);
  const isIn: string[] = [];
  for (const [user, password] of scene.deleted) {
    if (await isLetIn({ url: scene.server.url, user, password })) isIn.push(user);
  }
  const count = await online();
  const isGood = scene.deleted.has(meanwhile.login.authId) && count === 0 && isIn.length === 0;
  const seen = isIn.length === 0 ? `${count} agents in` : `${isIn.join(", ")} let in`;
  return { what: "the deletion during the fault holds", isGood, seen };
}

async function editors({ editors: crew, endpointFile: file }: Scene): Promise<Finding> {
  const { editors: count, different } = await crew.ask("compare", { file, timeoutMs: SETTLED_MS });
  const seen = different.length === 0 ? `${count} alike` : different.slice(0, 2).join("; ");
  return { what: "every editor shows what the server has", isGood: different.length === 0, seen };
}

async function holdings({ scene, before }: Case): Promise<Finding> {
  const look = async () => {
    const { bytes, descriptors } = await scene.server.holdings();
    const more = {
      bytes: bytes - before.holdings.bytes,
      descriptors: descriptors - before.holdings.descriptors,
    };
    return { more, isGood: more.bytes < GROWTH_BYTES && more.descriptors < GROWTH_DESCRIPTORS };
  };
  await eventually(async () => {
    if (!(await look()).isGood) throw new Error("not yet");
  }, SETTLED_MS).catch(() => undefined);
  const { more, isGood } = await look();
  const seen = `${(more.bytes / (1 << 20)).toFixed(1)} MB and ${more.descriptors} descriptors more`;
  return { what: "memory is back", isGood, seen };
}
