// The speed of a transfer, over its last few seconds.
const WINDOW_MS = 3_000;

export interface Speedometer {
  /** Notes how many bytes have been sent by now; gives bytes a second. */
  at: (sent: number) => number;
}

export function createSpeedometer(now: () => number): Speedometer {
  let samples: { at: number; sent: number }[] = [{ at: now(), sent: 0 }];
  return {
    at(sent) {
      const moment = now();
      samples.push({ at: moment, sent });
      // One sample from before the window stays, as the point to measure from.
      while (samples.length > 2 && moment - (samples[1]?.at ?? moment) >= WINDOW_MS) samples = samples.slice(1);
      const first = samples[0];
      const passed = first ? moment - first.at : 0;
      return first && passed > 0 ? ((sent - first.sent) * 1000) / passed : 0;
    },
  };
}
