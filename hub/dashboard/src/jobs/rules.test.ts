import { describe, expect, it } from "vitest";
import type { JobState } from "@/api/types";
import { jobSample, printerSample } from "@/testing/samples";
import { awaitsRemoval, offered, pendingOf, progressOf, queueOrder } from "./rules";
import { waitingReason } from "./waiting";

describe("what is offered", () => {
  it.each<[JobState, "pause" | "resume" | "cancel" | undefined, string]>([
    ["queued", undefined, "cancel"],
    ["claimed", undefined, "cancel"],
    ["printing", undefined, "pause cancel"],
    ["printing", "pause", "pause cancel"],
    ["pausing", undefined, "pause cancel"],
    ["paused", undefined, "resume cancel"],
    ["paused", "resume", "resume cancel"],
    ["resuming", undefined, "resume cancel"],
    ["cancelling", undefined, "cancel"],
    ["awaiting_removal", undefined, ""],
    ["finished", undefined, ""],
    ["cancelled", "cancel", ""],
  ])("%s (asked: %s): %s", (state, requested, wanted) => {
    const may = offered(jobSample({ state, requested }));
    expect(Object.entries(may).filter(([, shown]) => shown).map(([name]) => name).join(" ")).toBe(wanted);
  });

  it("nothing is pending once a job is over", () => {
    expect(pendingOf(jobSample({ state: "cancelled", requested: "cancel" }))).toBeUndefined();
    expect(pendingOf(jobSample({ state: "cancelling" }))).toBe("cancel");
  });
});

describe("the bed", () => {
  it.each<[JobState, boolean, boolean]>([
    ["awaiting_removal", true, true], ["cancelled", true, true], ["failed", true, true], ["printing", true, false], ["cancelled", false, false],
  ])("%s with needs_removal %s must be cleared: %s", (state, needs_removal, wanted) => {
    expect(awaitsRemoval(jobSample({ state, needs_removal }))).toBe(wanted);
  });
});

describe("progress", () => {
  const at = (elapsed_s: number) => ({ job_id: "j1", state: "printing" as const, fraction: 0.5, acknowledged_bytes: 1, total_bytes: 2, elapsed_s });
  const status = (elapsed_s: number) => ({ state: "printing" as const, tools: [], job: at(elapsed_s) });

  it("is the one that is further on", () => {
    const job = jobSample({ state: "printing", progress: at(10) });
    expect(progressOf(job, status(12))?.elapsed_s).toBe(12);
    expect(progressOf(job, status(8))?.elapsed_s).toBe(10);
    expect(progressOf(job)?.elapsed_s).toBe(10);
  });

  it("of another job is not taken", () => {
    expect(progressOf(jobSample({ id: "j2", state: "printing" }), status(12))).toBeUndefined();
  });
});

describe("the queue", () => {
  it("lists what runs first, then by time", () => {
    const jobs = [
      jobSample({ id: "late", queued_at: "2026-11-23T07:00:00.000Z" }),
      jobSample({ id: "early", queued_at: "2026-11-23T05:00:00.000Z" }),
      jobSample({ id: "running", state: "printing", queued_at: "2026-11-23T06:00:00.000Z" }),
    ];
    expect(jobs.sort(queueOrder).map((job) => job.id)).toEqual(["running", "early", "late"]);
  });

  it.each([
    ["offline", "offline"], ["awaiting_removal", "removal"], ["printing", "busy"], ["idle", "soon"], ["error", "attention"],
  ] as const)("a job for a printer that is %s waits: %s", (state, why) => {
    const printers = new Map([["p1", printerSample({ state })]]);
    expect(waitingReason(jobSample({ target_printer_id: "p1" }), printers)?.why).toBe(why);
  });

  it.each([
    [{}, "unseen"],
    [{ current_job_id: "j9" }, "busy"],
    [{ emergency_stop: { id: "c1", asked_by: "Ada", asked_at: "", state: "sent" as const, state_since: "", recorded: true } }, "attention"],
  ])("a job for a printer whose agent waits over HTTPS does not wait for contact: %s", (change, why) => {
    const printer = printerSample({ state: "offline", contact: { state: "lost", waits: true }, ...change });
    expect(waitingReason(jobSample({ target_printer_id: "p1" }), new Map([["p1", printer]]))?.why).toBe(why);
  });

  it("a job for any printer waits for one that is free", () => {
    expect(waitingReason(jobSample(), new Map())?.why).toBe("noPrinters");
    expect(waitingReason(jobSample(), new Map([["p1", printerSample({ state: "paused" })]]))?.why).toBe("noneFree");
    expect(waitingReason(jobSample(), new Map([["p1", printerSample()]]))?.why).toBe("soon");
    expect(waitingReason(jobSample({ state: "printing" }), new Map())).toBeUndefined();
  });
});
