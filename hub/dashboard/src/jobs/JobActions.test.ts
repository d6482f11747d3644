import { afterEach, describe, expect, it } from "vitest";
import type { Printer, PrintJob } from "@/api/types";
import { printers } from "@/live/live";
import { byTestId, mountPage } from "@/testing/mountPage";
import { jobSample, printerSample } from "@/testing/samples";
import JobActions from "./JobActions.vue";

let unmount: () => void = () => undefined;

async function show(contact: Printer["contact"]["state"], requested?: PrintJob["requested"], waits = false): Promise<string | undefined> {
  printers.replace([printerSample({ contact: { state: contact, waits } })]);
  const { wrapper } = await mountPage(JobActions, { job: jobSample({ state: "printing", printer_id: "p1", requested }) });
  unmount = () => wrapper.unmount();
  return byTestId("wish-kept")?.textContent.trim();
}

afterEach(() => {
  unmount();
  printers.replace([]);
});

describe("what is asked of a job", () => {
  it.each([
    ["pause" as const, "The wish to pause is kept for a minute"],
    ["resume" as const, "The wish to go on is kept for a minute at most"],
    ["cancel" as const, "The wish to cancel is kept until it is back"],
  ])("is said to be kept while nobody can hear it: %s", async (requested, kept) => {
    const told = await show("lost", requested);
    expect(told).toContain("The agent of Prusa 1 is out of reach.");
    expect(told).toContain(kept);
  });

  it.each(["pause", "resume", "cancel"] as const)("is only shown to be under way where the agent waits for it over HTTPS: %s", async (requested) => {
    expect(await show("lost", requested, true)).toBeUndefined();
    unmount();
    expect(await show("never", requested, true)).toBeUndefined();
  });

  it("is only shown to be under way while the agent is in reach, or when nothing is asked", async () => {
    expect(await show("online", "pause")).toBeUndefined();
    unmount();
    expect(await show("lost")).toBeUndefined();
  });
});
