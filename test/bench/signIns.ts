import { Agent, request } from "node:http";
import { API_PREFIX } from "@rport/protocol/http";
import { ADMINISTRATORS } from "@rport/protocol/people/right";
import { groupNameSchema, userNameSchema } from "@rport/protocol/people/user";
import { userRecord } from "../support/backend/people.ts";
import { newToken, PASSWORD, signIn } from "../support/backend/person.ts";
import { openPeople } from "../support/backend/storedPeople.ts";
import { BenchAgent, SOURCES } from "./agents.ts";
import { BenchBackend } from "./backend.ts";
import { roundTrips } from "./during.ts";
import { type Bench, median, pause, quantile, runBench } from "./harness.ts";
import { Program } from "./program.ts";
import { atMost, number } from "./report.ts";
import type { SwarmHandlers } from "./swarm.ts";

const NAME = userNameSchema.parse("anna");
const AGENTS = 100;
const PARALLEL = 16;
const SIGN_INS = 200;
const IDLE_MS = 2_000;
const ROUND_TRIP_MS = 50;
const REQUESTS = 5_000;
const QUICK_REQUESTS = 1_000;
const TOKEN_US = 50;
const TRIES = 51;
const QUICK_TRIES = 15;
/** How much longer, or shorter, a name that is known may take. */
const TELLS = 1.05;
/** Until nobody has to wait any more because of a wrong password. */
const FORGIVEN_MS = 86_400_000;

// S-20: no time tells which names there are; and people who sign in slow nobody down.
await runBench(async (bench) => {
  const { scope } = bench;
  const backend = scope.use(await BenchBackend.start());
  const facts = { display_name: "", password_expired: false, two_fa_send_to: "" };
  const groups = [groupNameSchema.parse(ADMINISTRATORS)];
  const body = { ...facts, username: NAME, password: PASSWORD, groups };
  await backend.api("createUser", { body });
  await costOfToken(bench, backend);
  await signInsBesideAgents(bench, backend);
  await timesOfNames(bench);
});

/** A request with a personal token against one with the token of local mode, in turns. */
async function costOfToken({ options, row }: Bench, backend: BenchBackend): Promise<void> {
  const { token } = await newToken(backend, await signIn(backend, NAME));
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const count = options.isQuick ? QUICK_REQUESTS : REQUESTS;
  const local: number[] = [];
  const personal: number[] = [];
  for (let n = 0; n < count; n += 1) {
    // Once for the compilers, and in turns: a busy machine slows both alike.
    const [one, other] = [
      await requestUs(backend, agent, backend.token),
      await requestUs(backend, agent, token),
    ];
    if (n < count / 10) continue;
    local.push(one);
    personal.push(other);
  }
  agent.destroy();
  const differenceUs = median(personal) - median(local);
  row({
    what: "a request with a personal token costs more than with the local token",
    figure: `${number(differenceUs)} us`,
    against: `${number(median(personal))} us against ${number(median(local))} us`,
    checks: [atMost(differenceUs, TOKEN_US, "us")],
  });
}

/** Microseconds of one `GET /status`, on a connection that stays. */
function requestUs({ url }: BenchBackend, agent: Agent, token: string): Promise<number> {
  const startMs = performance.now();
  const headers = { Authorization: `Bearer ${token}` };
  return new Promise((resolve, reject) => {
    const asked = request(`${url}${API_PREFIX}/status`, { agent, headers }, (answer) => {
      if (answer.statusCode !== 200) reject(new Error(`answered ${answer.statusCode}`));
      answer.resume().once("end", () => resolve((performance.now() - startMs) * 1_000));
    });
    asked.once("error", reject).end();
  });
}

/** Many sign in by password at once, while the tunnel of a connected agent is used. */
async function signInsBesideAgents({ scope, row }: Bench, backend: BenchBackend): Promise<void> {
  const swarm = scope.use(await Program.script<SwarmHandlers>("swarm.ts"));
  const echo = scope.use(await Program.script<Record<string, never>>("targetServer.ts"));
  const login = await backend.createLogin("bench-sign-ins");
  const target = { server: backend.agentUrl, fingerprint: backend.fingerprint, ...login };
  await swarm.ask("add", { ...target, from: 0, count: AGENTS - 1, parallel: PARALLEL });
  const agent = { login, clientId: "real-agent" };
  scope.use(await BenchAgent.start(SOURCES, backend, agent));
  const port = await backend.openTunnel(agent.clientId, Number(echo.ready));
  const idle = await roundTrips(port, pause(IDLE_MS));
  const startMs = performance.now();
  const signingIn = Promise.all(Array.from({ length: SIGN_INS }, (_, n) => signInFrom(backend, n)));
  const [busy] = await Promise.all([roundTrips(port, signingIn), signingIn]);
  const seconds = (performance.now() - startMs) / 1_000;
  const { lost } = await swarm.ask("state");
  const p99 = quantile(busy, 0.99);
  row({
    what: `${number(SIGN_INS)} sign-ins by password, ${number(AGENTS)} agents connected: round trip to an agent, p50 / p99`,
    figure: `${number(median(busy))} / ${number(p99)} ms`,
    against: `before: ${number(median(idle))} / ${number(quantile(idle, 0.99))} ms; the sign-ins took ${number(seconds)} s, ${lost} agents lost`,
    checks: [atMost(p99, ROUND_TRIP_MS, "ms (p99)"), atMost(lost, 0, "agents lost")],
  });
}

/** Signs in by password from an address of its own, as people elsewhere do. */
function signInFrom({ url }: BenchBackend, number: number): Promise<void> {
  const localAddress = `127.1.0.${1 + number}`;
  const body = JSON.stringify({ username: NAME, password: PASSWORD });
  const headers = { "Content-Type": "application/json", "Content-Length": body.length };
  const options = { method: "POST", agent: false, localAddress, headers } as const;
  return new Promise((resolve, reject) => {
    const asked = request(`${url}${API_PREFIX}/login`, options, (answer) => {
      if (answer.statusCode !== 200) reject(new Error(`answered ${answer.statusCode}`));
      answer.resume().once("end", resolve);
    });
    asked.once("error", reject).end(body);
  });
}

/** Wrong passwords for a name that is known, and for one that is nobody's, in turns. */
async function timesOfNames({ scope, options, row }: Bench): Promise<void> {
  const { first, clock } = scope.use(await openPeople());
  const { edits, passwords, signIn: door } = first.accounts;
  const password = await passwords.derive(PASSWORD, "bench");
  await edits.commit([{ kind: "addUser", record: userRecord(NAME, { password }) }]);
  const wrong = async (username: string): Promise<number> => {
    clock.advance(FORGIVEN_MS);
    const startMs = performance.now();
    const typed = { username, password: "some other password" };
    await door.checkPassword(typed, { address: "192.0.2.7", isShared: false }).catch(() => {});
    return performance.now() - startMs;
  };
  const known: number[] = [];
  const unknown: number[] = [];
  for (let n = 0; n < (options.isQuick ? QUICK_TRIES : TRIES); n += 1) {
    known.push(await wrong(NAME));
    unknown.push(await wrong("nobody"));
  }
  const [one, other] = [median(known), median(unknown)];
  const ratio = Math.max(one, other) / Math.min(one, other);
  row({
    what: "a wrong password: what the time tells of known and unknown names",
    figure: `${ratio.toFixed(3)} x between the slower and the faster`,
    against: `known ${number(one)} ms, unknown ${number(other)} ms (medians)`,
    checks: [atMost(ratio, TELLS, "x the faster")],
  });
}
