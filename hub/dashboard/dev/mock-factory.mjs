// The made-up printers, files and jobs of the stand-in hub. Jobs print in about MOCK_PRINT_S seconds.
import { randomUUID } from "node:crypto";
import { facts, thumbnail } from "./mock-files.mjs";
import { stopsOf } from "./mock-stops.mjs";
import { telemetryOf } from "./mock-telemetry.mjs";
import { trouble } from "./mock-trouble.mjs";

const PRINT_S = Number(process.env.MOCK_PRINT_S ?? 40);
const TICK_MS = 500;
/** How long a pause or going on takes. */
const UNDER_WAY_MS = Number(process.env.MOCK_UNDER_WAY_MS ?? 1_500);
const PAIRED_AFTER_MS = Number(process.env.MOCK_PAIR_MS ?? 8_000);
const base = { workspace_id: "w1" };
const ago = (minutes) => new Date(Date.now() - minutes * 60e3).toISOString();
const now = () => new Date().toISOString();

export function createFactory(publish) {
  const printers = new Map();
  const files = new Map();
  const jobs = new Map();
  const tokens = [{ id: "t1", name: "Slicer in the lab", created_at: ago(9000), last_used_at: ago(35) }];
  const courses = new Map();
  /** What is special about how a job's print went; `undefined` for a job: nothing of it was recorded. */
  const stories = new Map();
  /** What somebody preheats, °C, by printer. */
  const wanted = new Map();
  const upsert = (resource, item) => publish({ resource, op: "upsert", id: item.id, data: item });

  function patch(resource, item, change) {
    for (const [key, value] of Object.entries(change)) {
      if (value === null) Reflect.deleteProperty(item, key);
      else item[key] = value;
    }
    publish({ resource, op: "patch", id: item.id, data: change });
  }

  function go(job, state, by, reason) {
    courses.get(job.id).push({ from: job.state, to: state, at: now(), ...(by ? { by } : {}), ...(reason ? { reason } : {}) });
    const printer = job.printer_id && printers.get(job.printer_id);
    const times = {
      claimed: { claimed_at: now(), printer_name: printer?.name }, printing: { started_at: job.started_at ?? now() },
      awaiting_removal: { finished_at: now(), needs_removal: true }, cancelled: { finished_at: now() }, finished: { removed_at: now(), needs_removal: false },
    };
    patch("job", job, { state, requested: null, ...times[state] });
    if (job.progress) job.progress.state = state;
  }

  function addPrinter(name, model, state = "idle", extra = {}) {
    const printer = {
      ...base, id: randomUUID(), name, model, created_at: ago(50000), version: 1, state, contact: { state: "online", since: ago(60) },
      status: { state, tools: [{ actual: 24.3, target: 0 }], bed: { actual: 23.1, target: 0 }, firmware: "Marlin 2.1.2", agent_version: "0.1.0" },
      ...extra,
    };
    printers.set(printer.id, printer);
    return printer;
  }

  function ask(printer, text, buttons) {
    patch("printer", printer, { state: "attention", status: { ...printer.status, state: "attention", message: text, attention: { id: randomUUID(), text, buttons } } });
  }

  function answerPrinter(id, { attention_id: asked }) {
    const printer = printers.get(id);
    if (printer.status.attention?.id !== asked) return undefined;
    const status = { ...printer.status, state: "idle" };
    Reflect.deleteProperty(status, "attention");
    Reflect.deleteProperty(status, "message");
    setTimeout(() => patch("printer", printer, { state: "idle", status }), 1500);
    return printer;
  }

  function preheat(id, { nozzles_c: nozzles, bed_c: bed, minutes }) {
    const printer = printers.get(id);
    wanted.set(id, { nozzle: nozzles[0] ?? 0, bed: bed ?? 0 });
    patch("printer", printer, { status: { ...printer.status, preheat: { until: new Date(Date.now() + minutes * 60e3).toISOString(), reason: "asked" } } });
    return printer;
  }

  function coolDown(id) {
    const printer = printers.get(id);
    wanted.delete(id);
    const status = { ...printer.status };
    Reflect.deleteProperty(status, "preheat");
    printer.status = status;
    publish({ resource: "printer", op: "patch", id, data: { status: { preheat: null } } });
    return printer;
  }

  function addFile(name, body, minutes = 0, size = body.length) {
    const text = body.toString("latin1");
    const file = {
      ...base, id: randomUUID(), owner_id: "u1", name, created_at: ago(minutes), updated_at: ago(minutes), version_id: randomUUID(),
      version_number: 1, size_bytes: size, sha256: "0".repeat(64), extraction: "pending",
    };
    files.set(file.id, file);
    const ready = () => patch("file", file, { extraction: "ready", thumbnail_url: `/api/v1/files/${file.id}/thumbnail?v=1`, metadata: facts(text) });
    upsert("file", file);
    if (minutes) ready();
    else setTimeout(ready, 1500);
    return file;
  }

  function order({ file_id: fileId, printer_id: target }) {
    const file = files.get(fileId);
    const job = {
      ...base, id: randomUUID(), owner_id: "u1", owner_name: "Ada Lovelace", version: 1, file_id: fileId, file_version_id: file.version_id,
      file_name: file.name, state: "queued", estimated_time_s: file.metadata?.estimated_time_s, thumbnail_url: file.thumbnail_url,
      queued_at: now(), needs_removal: false, ...(target ? { target_printer_id: target, printer_name: printers.get(target).name } : {}),
    };
    courses.set(job.id, [{ to: "queued", at: now(), by: "Ada Lovelace" }]);
    jobs.set(job.id, job);
    upsert("job", job);
    return job;
  }

  function claim(job) {
    const printer = [...printers.values()].find((p) =>
      p.state === "idle" && !p.current_job_id && (!job.target_printer_id || job.target_printer_id === p.id));
    if (!printer) return;
    patch("printer", printer, { current_job_id: job.id, state: "preparing" });
    patch("job", job, { printer_id: printer.id, progress: { job_id: job.id, state: "claimed", fraction: 0, acknowledged_bytes: 0, total_bytes: 1e6, elapsed_s: 0 } });
    go(job, "claimed", printer.name);
    go(job, "preparing", printer.name);
    setTimeout(() => { if (job.state === "preparing") { go(job, "printing", printer.name); patch("printer", printer, { state: "printing" }); } }, 2500);
  }

  function advance(job, printer) {
    const fraction = Math.min(1, job.progress.fraction + TICK_MS / 1000 / PRINT_S);
    const total = job.estimated_time_s ?? 3600;
    const progress = { ...job.progress, state: "printing", fraction, acknowledged_bytes: Math.round(fraction * 1e6), elapsed_s: Math.round(fraction * total),
      left_s: Math.round((1 - fraction) * total), layer: Math.ceil(fraction * 93) };
    const motion = { x: 101.3, y: 97, z: Math.round(progress.layer * 20) / 100, fan_percent: 100, speed_percent: 110, flow_percent: 95 };
    patch("job", job, { progress });
    patch("printer", printer, { status: { ...printer.status, job: progress, motion } });
    if (fraction >= 1) {
      go(job, "awaiting_removal", printer.name);
      patch("printer", printer, { state: "awaiting_removal" });
    }
  }

  function heat(printer) {
    const hot = ["printing", "preparing", "paused"].includes(printer.state);
    const towards = (from, to) => Math.round((from + (to - from) * 0.25 + (Math.random() - 0.5) * 0.6) * 10) / 10;
    const tool = printer.status.tools[0].actual;
    const { nozzle, bed } = hot ? { nozzle: 215, bed: 60 } : (wanted.get(printer.id) ?? { nozzle: 0, bed: 0 });
    printer.status = { ...printer.status, tools: [{ actual: towards(tool, nozzle || 24), target: nozzle }],
      bed: { actual: towards(printer.status.bed.actual, bed || 23), target: bed } };
    publish({ resource: "printer", op: "patch", id: printer.id, data: { status: { tools: printer.status.tools, bed: printer.status.bed } } });
  }

  setInterval(() => {
    for (const job of jobs.values()) {
      const printer = job.printer_id && printers.get(job.printer_id);
      if (job.state === "queued") claim(job);
      else if (job.state === "printing" && printer && printer.state !== "offline" && !job.requested) advance(job, printer);
    }
    for (const printer of printers.values()) if (printer.contact.state === "online" && printer.state !== "offline") heat(printer);
  }, TICK_MS).unref();

  /** The power failed in mid-print, or in a pause (parked); without layers the print can only be given up. */
  function cutOff(job, printer, layers, refusal, parked) {
    const place = parked ? "It was paused at layer 58, and the pause has left the nozzle 16.60 mm up." : "It is at layer 58, 11.60 mm.";
    const reason = `The printer was reset in mid-print: its heaters are off and its position is lost. ${place} Look at the part: the print can go on from a layer, or be given up.`;
    go(job, "paused", printer.name, reason);
    const interruption = { job_id: job.id, layer: 58, height_mm: parked ? 16.6 : 11.6, parked, layers: layers.map((layer) => ({ layer, height_mm: layer / 5 })), reason, refusal };
    patch("job", job, { reason, started_at: now(), progress: { ...job.progress, fraction: 0.62, layer: 58, elapsed_s: 6060, left_s: 3700 } });
    patch("printer", printer, { state: "paused", status: { ...printer.status, state: "paused", interruption, job: job.progress } });
  }

  /** The job and its printer, which has fewer states than a job, are in a state from now on. */
  function move(job, printer, state, shown = state) {
    go(job, state, printer.name);
    patch("printer", printer, { state: shown, status: { ...printer.status, state: shown, job: job.progress } });
  }

  function request(id, what) {
    const job = jobs.get(id);
    const printer = job.printer_id && printers.get(job.printer_id);
    if (printer) Reflect.deleteProperty(printer.status, "interruption");
    if (!printer) {
      go(job, "cancelled", "Ada Lovelace");
      return job;
    }
    patch("job", job, { requested: what });
    setTimeout(() => {
      if (what === "cancel") { patch("job", job, { needs_removal: true }); go(job, "cancelled", "Ada Lovelace"); patch("printer", printer, { state: "awaiting_removal" }); }
      else {
        move(job, printer, what === "pause" ? "pausing" : "resuming", "paused");
        setTimeout(() => move(job, printer, what === "pause" ? "paused" : "printing"), UNDER_WAY_MS);
      }
    }, 500);
    return job;
  }

  function confirmRemoval(id) {
    const job = jobs.get(id);
    patch("job", job, { needs_removal: false, removed_at: now() });
    if (job.state === "awaiting_removal") go(job, "finished", "Ada Lovelace");
    patch("printer", printers.get(job.printer_id), { state: "idle", current_job_id: null });
    return job;
  }

  function pairingCode() {
    setTimeout(() => upsert("printer", addPrinter("Ender 3 by the door", "Creality Ender-3")), PAIRED_AFTER_MS);
    return { code: "K7QM-4TXP", expires_at: new Date(Date.now() + 10 * 60e3).toISOString(), command: "stardust-agent pair https://hub.example.org K7QM-4TXP" };
  }

  /** The one PIN that a printer shows here: ABCD-EFGH. */
  function pairByPin(pin) {
    if (pin.replaceAll(/[^A-Za-z0-9]/g, "").toUpperCase() !== "ABCDEFGH") return undefined;
    const printer = addPrinter("Ender 3 by the wall", "Creality Ender-3");
    upsert("printer", printer);
    return printer;
  }

  function seed() {
    const mk4 = addPrinter("Prusa 1", "Original Prusa MK4");
    const second = addPrinter("Prusa 2", "Original Prusa MK4");
    addPrinter("Ender by the window", "Creality Ender-3 V2", "attention", {});
    addPrinter("Voron", "Voron 2.4 350");
    addPrinter("Ultimaker, room 2.14", "UltiMaker 2+ Connect");
    const cold = addPrinter("Old faithful", undefined, "offline", { contact: { state: "lost", since: ago(187) } });
    cold.status.tools[0].actual = 31;
    printers.forEach((p) => { if (p.state === "attention") ask(p, "Nozzle parked. Load filament, then choose.", ["Purge more", "Continue"]); });
    const gcode = Buffer.from("G28\n;TIME:9780\n");
    const cura = Buffer.from("G28\n;Generated with Cura_SteamEngine 5.7.1\n;TIME:3321\n");
    const bracket = addFile("camera-bracket_0.2mm_PLA_MK4.gcode", gcode, 12, 4_812_331);
    const clips = addFile("cable-clips-x12.gcode", cura, 190, 1_205_112);
    addFile("teapot_ender3_a-very-long-file-name-from-a-slicer_0.4n_0.2mm_PETG_1h13m.gcode", gcode, 1500, 935_823);
    addFile("vase.gcode", cura, 9000, 28_984_026);
    const broken = addFile("half-a-file.gcode", gcode, 12000, 3_000_000);
    Object.assign(broken, { extraction: "failed", extraction_error: "The file ends in the middle of a line", metadata: undefined, thumbnail_url: undefined });
    const started = order({ file_id: bracket.id, printer_id: mk4.id });
    claim(started);
    Object.assign(started.progress, { fraction: 0.62 });
    const done = order({ file_id: clips.id, printer_id: second.id });
    claim(done);
    Object.assign(done.progress, { fraction: 0.999 });
    order({ file_id: bracket.id, printer_id: cold.id });
    if (process.env.MOCK_CUT_OFF) {
      addPrinter("Paused one", "Original Prusa MK3S");
      const cut = [["Voron", [56, 57, 58, 59, 60]], ["Ultimaker", [], "The file has no layers that the agent can find, so the print can't go on."], ["Paused", [58], undefined, true]];
      for (const [model, layers, refusal, parked] of cut) {
        const printer = [...printers.values()].find((p) => p.name.startsWith(model));
        const job = order({ file_id: bracket.id, printer_id: printer.id });
        claim(job);
        cutOff(job, printer, layers, refusal, parked);
      }
    }
    if (process.env.MOCK_TROUBLE) trouble({ printers, addPrinter, order, claim, go, patch, ago }, bracket.id);
    const past = [
      ["finished", 300, undefined, { chamber: true }],
      ["failed", 1400, "The nozzle did not reach 215 °C within 10 minutes. Check the heater cartridge.", { stuck: true }],
      ["cancelled", 2900, undefined, { gap: true, two: true }],
      ["finished", 4400, undefined, undefined],
    ];
    for (const [state, minutes, reason, story] of past) {
      const job = order({ file_id: clips.id });
      stories.set(job.id, story);
      Object.assign(job, { state, reason, printer_id: second.id, printer_name: "Prusa 2", queued_at: ago(minutes + 80), started_at: ago(minutes + 55), finished_at: ago(minutes) });
    }
  }
  if (process.env.MOCK_EMPTY !== "1") seed();
  for (let number = 7; number <= Number(process.env.MOCK_PRINTERS ?? 6); number += 1) addPrinter(`Farm ${number}`, "Original Prusa MK4", ...(number % 9 === 0 ? ["offline", { contact: { state: "lost", since: ago(number) } }] : []));
  for (const id of [...printers.keys()].slice(Number(process.env.MOCK_PRINTERS ?? printers.size))) printers.delete(id);

  const byQueue = (a, b) => a.queued_at.localeCompare(b.queued_at);
  const over = (job) => ["finished", "cancelled", "failed"].includes(job.state);
  return {
    ...stopsOf(printers, patch), tokens, order, request, answerPrinter, preheat, coolDown, confirmRemoval, pairingCode, pairByPin, addFile,
    addToken: (name) => { const token = { id: randomUUID(), name, created_at: now() }; tokens.unshift(token); return { ...token, token: `sdt_${randomUUID().replaceAll("-", "")}` }; },
    removeToken: (id) => tokens.splice(tokens.findIndex((token) => token.id === id), 1),
    printers: () => [...printers.values()],
    printer: (id) => printers.get(id),
    changePrinter: (id, change) => { patch("printer", printers.get(id), change); return printers.get(id); },
    removePrinter: (id) => { printers.delete(id); publish({ resource: "printer", op: "remove", id }); },
    files: () => [...files.values()].sort((a, b) => b.created_at.localeCompare(a.created_at)),
    removeFile: (id) => { files.delete(id); publish({ resource: "file", op: "remove", id }); },
    jobs: (scope) => [...jobs.values()].filter((job) => scope === "all" || over(job) === (scope === "history")).sort(byQueue),
    job: (id) => jobs.get(id),
    transitions: (id) => courses.get(id) ?? [],
    telemetry: (id, most) => {
      const job = jobs.get(id);
      const story = stories.has(id) ? stories.get(id) : {};
      return job.started_at && story ? telemetryOf(job, story, most) : [];
    },
    thumbnail,
  };
}
