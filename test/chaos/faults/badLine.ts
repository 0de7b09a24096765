import type { LineQuality } from "../../support/faults/badLine.ts";
import type { Fault } from "../fault.ts";
import type { Scene } from "../scene.ts";
import type { Trial } from "../trial.ts";

/** Agents afar have their new secret by then. */
const MOVED_MS = 60_000;

/** What the line is like, one after the other (F-12). */
interface Weather {
  readonly what: string;
  /** Percent of packets that the kernel drops each way, where there is a namespace. */
  readonly lossPercent: number;
  /** What the line does where there is none, and on top. */
  readonly quality: LineQuality;
  readonly kilobits?: number;
  /** Whether agents have to stay connected. */
  readonly holds: boolean;
}

const WEATHERS: readonly Weather[] = [
  { what: "1 % lost", lossPercent: 1, quality: {}, holds: true },
  {
    what: "5 % lost, 200 ms on the way",
    lossPercent: 5,
    quality: { delayMs: 200, jitterMs: 50 },
    holds: true,
  },
  {
    what: "600 ms on the way, more or less by 200 ms, narrow",
    lossPercent: 0,
    quality: { delayMs: 600, jitterMs: 200 },
    kilobits: 512,
    holds: true,
  },
  {
    what: "20 % lost",
    lossPercent: 20,
    quality: { delayMs: 100 },
    holds: false,
  },
];

/** A line that loses, delays, narrows, stands still and breaks, under a rotation. */
export const badLine: Fault = {
  name: "bad-line",
  title: "a line loses, delays and narrows, stands still and breaks",
  harm: "none",
  async run(trial: Trial): Promise<void> {
    const { afar, line, server, sizes } = trial.scene;
    const kind = trial.scene.place === undefined ? "imitated by a relay" : "by nft in a namespace";
    const { rotated } = await afar.state();
    try {
      for (const weather of WEATHERS) await suffer(trial, weather, kind);
      const rotation = { params: { authId: "afar" }, body: { grace_seconds: null } };
      await server.api("rotateCredential", rotation);
      await trial.deleteDoomedForSure();
      trial.letNewcomersTry();
      line.freeze();
      await trial.pause(sizes.faultMs / 2);
      line.thaw();
      line.cut();
    } finally {
      clear(trial.scene);
    }
    const isMoved = await afar.areMoved(rotated + afar.count, MOVED_MS);
    const moves = (await afar.state()).rotated - rotated;
    const seen = `${moves} secrets for ${afar.count} agents`;
    trial.note("a rotation moves each agent afar, and none twice", isMoved, seen);
  },
};

async function suffer(trial: Trial, weather: Weather, kind: string): Promise<void> {
  const { scene } = trial;
  const { lost } = await scene.afar.state();
  begin(scene, weather);
  await trial.pause(scene.sizes.faultMs);
  const cut = (await scene.afar.state()).lost - lost;
  if (weather.holds)
    trial.note(`agents stay with ${weather.what}`, cut === 0, `${cut} cut, ${kind}`);
}

function begin({ place, line }: Scene, { lossPercent, quality, kilobits }: Weather): void {
  place?.lose(lossPercent);
  if (kilobits !== undefined) place?.narrow(kilobits);
  const bytesPerSecond = kilobits === undefined ? {} : { bytesPerSecond: kilobits * 125 };
  const imitated = { lossShare: lossPercent / 100, ...bytesPerSecond };
  line.quality = place === undefined ? { ...quality, ...imitated } : quality;
}

function clear({ place, line }: Scene): void {
  line.quality = {};
  line.thaw();
  place?.lose(0);
  place?.narrow(1_000_000);
  place?.narrow(undefined);
}
