import { openCredentials } from "../support/backend/credentials.ts";
import { loginSubjects } from "../support/backend/loginSubjects.ts";
import { median, runBench } from "./harness.ts";
import { atMost, number } from "./report.ts";

const SECRETS = 10_000;
/** Secrets that are made at a time. */
const BATCH = 1_000;
const LOGINS = 4_000;
const ROUNDS = 5;
/** What one secret may cost more among ten thousand others. */
const TIMES = 1.25;

// S-20: no time tells an unknown auth id, a wrong secret and a revoked one apart.
await runBench(async ({ scope, row }) => {
  const { credentials, clock } = scope.use(await openCredentials());
  const few = await credentials.create(newCredential("few"));
  const many = await credentials.create(newCredential("many"));
  for (let made = 0; made < SECRETS; made += BATCH) {
    await credentials.mintForPairing(many.id, BATCH, clock.now() + 600_000);
  }
  // As long as a generated one: anything else is taken for a typed password, which costs scrypt.
  const wrongPassword = [...many.password].reverse().join("");
  const ratios: number[] = [];
  const times: { few: number; many: number }[] = [];
  const wrong: number[] = [];
  await loginUs(credentials, { id: few.id, password: few.password });
  for (let round = 0; round < ROUNDS; round += 1) {
    const one = {
      few: await loginUs(credentials, { id: few.id, password: few.password }),
      many: await loginUs(credentials, { id: many.id, password: many.password }),
    };
    times.push(one);
    ratios.push(one.many / one.few);
    wrong.push(await loginUs(credentials, { id: many.id, password: wrongPassword }));
  }
  const ratio = median(ratios);
  row({
    what: `checking a login among ${number(SECRETS)} secrets of its credential`,
    figure: `${number(median(times.map((each) => each.many)))} us`,
    against: `${number(ratio)} x a credential with one secret (${number(median(times.map((each) => each.few)))} us)`,
    checks: [atMost(ratio, TIMES, "x one secret")],
  });
  row({
    what: "refusing a wrong password there",
    figure: `${number(median(wrong))} us`,
  });
  const generated = await spread("generated", 2_000);
  row({
    what: "generated secrets: what the time tells of unknown, deleted, wrong, revoked and right",
    figure: `${number(generated.most - generated.least)} us between the slowest and the fastest`,
    against: `the fastest takes ${number(generated.least)} us`,
    checks: [atMost(generated.most - generated.least, 200, "us")],
  });
  const typed = await spread("typed", 9);
  row({
    what: "typed passwords: what the time tells of unknown, deleted, wrong and revoked",
    figure: `${number(typed.most / typed.least)} x between the slowest and the fastest`,
    against: `the fastest takes ${number(typed.least / 1_000)} ms`,
    checks: [atMost(typed.most / typed.least, 1.7, "x the fastest")],
  });
});

/**
 * The least and the most of the median times of logins that differ in what they are about, in us.
 */
async function spread(kind: "typed" | "generated", rounds: number) {
  await using fixture = await openCredentials();
  const { right, ...refused } = await loginSubjects(fixture, kind);
  // A typed password that has let somebody in is known from then on.
  const subjects = Object.values(kind === "typed" ? refused : { ...refused, right });
  const times: number[][] = subjects.map(() => []);
  // In turns, so that a busy machine slows all alike.
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, { id, password }] of subjects.entries()) {
      const startMs = performance.now();
      await fixture.credentials.login(id, password, "192.0.2.7");
      times[index]?.push((performance.now() - startMs) * 1_000);
    }
  }
  const medians = times.map(median);
  return { least: Math.min(...medians), most: Math.max(...medians) };
}

function newCredential(id: string) {
  return { id: `bench-${id}`, createdBy: "bench" };
}

type Credentials = Awaited<ReturnType<typeof openCredentials>>["credentials"];

/** Microseconds of one login, one after the other. */
async function loginUs(
  credentials: Credentials,
  { id, password }: { readonly id: string; readonly password: string },
): Promise<number> {
  const startMs = performance.now();
  for (let n = 0; n < LOGINS; n += 1) await credentials.login(id, password, "192.0.2.7");
  return ((performance.now() - startMs) * 1_000) / LOGINS;
}
