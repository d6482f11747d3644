// What the dashboard holds of the hub, live: printers, jobs, files. One stream for the whole page.
import { listActiveJobs, listFiles, listPrinters, readFile, readJob, readPrinter, readSession } from "@/api/hub";
import type { Printer, PrintFile, PrintJob } from "@/api/types";
import { createCollection } from "./collection";
import { createStream } from "./stream";
import type { ResourceChange } from "./stream";

export const printers = createCollection<Printer>(readPrinter);
export const jobs = createCollection<PrintJob>(readJob);
export const files = createCollection<PrintFile>(readFile);

function apply(change: ResourceChange): void {
  if (change.resource === "printer") printers.apply(change);
  else if (change.resource === "job") jobs.apply(change);
  else if (change.resource === "file") files.apply(change);
}

async function load(): Promise<void> {
  const [allPrinters, activeJobs, allFiles] = await Promise.all([listPrinters(), listActiveJobs(), listFiles()]);
  const known = new Set(activeJobs.map((job) => job.id));
  // A cancelled or failed job may still be on a printer, waiting for its bed to be cleared.
  const onPrinters = allPrinters.flatMap((p) => (p.current_job_id && !known.has(p.current_job_id) ? [p.current_job_id] : []));
  const leftOver = await Promise.all(onPrinters.map((id) => readJob(id).catch(() => undefined)));
  printers.replace(allPrinters);
  files.replace(allFiles);
  jobs.replace([...activeJobs, ...leftOver.filter((job) => job !== undefined)]);
}

export const stream = createStream({
  open: () => new EventSource("/api/v1/stream"),
  load,
  apply,
  // Asking for the session finds out whether we are still signed in, and says so to the client.
  refused: () => void readSession().catch(() => undefined),
});

/** Forgets everything: another person may sign in next. */
export function forget(): void {
  stream.stop();
  printers.replace([]);
  jobs.replace([]);
  files.replace([]);
}
