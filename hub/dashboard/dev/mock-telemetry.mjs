// The made-up course of a print: heats up, prints, and in some of the jobs something happens.
const SAMPLE_S = 10;
const AMBIENT = 23;

/** The same for the same sample, so that a chart that is read again does not flicker. */
const wobble = (sample, size) => (Math.sin(sample * 12.9898) * 43758.5453 % 1) * size;
const tenth = (value) => Math.round(value * 10) / 10;

/** Rises towards what is set by `rate` °C a second, overshoots a little, and swings in. */
function heater(target, rate, seconds, sample, stuckAt = Infinity) {
  const reached = AMBIENT + rate * seconds;
  if (reached < Math.min(target, stuckAt)) return tenth(reached);
  if (stuckAt < target) return tenth(stuckAt + wobble(sample, 1.2));
  const since = seconds - (target - AMBIENT) / rate;
  return tenth(target + 6 * Math.exp(-since / 40) * Math.cos(since / 25) + wobble(sample, 0.7));
}

/** `story`: what is special: gap, stuck, chamber, second nozzle; at most `most` points, as the hub thins them. */
export function telemetryOf(job, story, most) {
  const end = Date.parse(job.finished_at ?? new Date().toISOString());
  const lasted = Math.max(job.progress?.elapsed_s ?? 0, (end - Date.parse(job.started_at)) / 1000);
  const begin = end - lasted * 1000;
  const count = Math.floor(lasted / SAMPLE_S) + 1;
  const done = job.progress?.fraction ?? (job.state === "finished" ? 1 : 0.47);
  const all = [];
  for (let sample = 0; sample < count; sample += 1) {
    const seconds = sample * SAMPLE_S;
    const part = count > 1 ? sample / (count - 1) : 0;
    if (story.gap && part > 0.52 && part < 0.68) continue;
    const fraction = story.stuck ? 0 : Math.max(0, (part - 0.05) / 0.95) * done;
    const layer = Math.ceil(fraction * 93);
    // The first layer is printed hotter.
    const set = layer <= 2 ? 215 : 210;
    const bed = layer <= 2 ? 65 : 60;
    const nozzle = (target, second) => ({ actual: heater(target, 1.6, Math.max(0, seconds - second), sample + second, story.stuck ? 164 : undefined), target });
    all.push({
      at: new Date(begin + seconds * 1000).toISOString(),
      fraction,
      ...(layer > 0 ? { layer } : {}),
      tools: story.two ? [nozzle(set, 0), nozzle(190, 60)] : [nozzle(set, 0)],
      bed: { actual: heater(bed, 0.35, seconds, sample + 7), target: bed },
      ...(story.chamber ? { chamber: { actual: tenth(AMBIENT + 17 * (1 - Math.exp(-seconds / 1500)) + wobble(sample + 3, 0.4)), target: 0 } } : {}),
    });
  }
  if (all.length <= most) return all;
  return Array.from({ length: most }, (_, place) => all[Math.floor(place * (all.length - 1) / (most - 1))]);
}
