import { openCredentials } from "../support/backend/credentials.ts";
import { median, runBench } from "./harness.ts";
import { atMost, number } from "./report.ts";

const SECRETS = 10_000;
/** Secrets that are made at a time. */
const BATCH = 1_000;
const LOGINS = 4_000;
const ROUNDS = 5;
/** What one secret may cost more among ten thousand others. */
const TIMES = 1.25;

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
});

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
