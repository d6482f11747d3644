import { flushPromises } from "@vue/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { nextTick, type Component, type Ref } from "vue";
import type { Printer, PrintJob } from "@/api/types";
import ConnectionBanner from "@/app/ConnectionBanner.vue";
import { useLanguage, type Language } from "@/app/i18n";
import { jobs, printers, stream } from "@/live/live";
import type { Connection } from "@/live/stream";
import { byTestId, mountPage } from "@/testing/mountPage";
import { jobSample, printerSample } from "@/testing/samples";
import PrinterCard from "./PrinterCard.vue";
import PrinterLine from "./PrinterLine.vue";

let unmount: () => void = () => undefined;
const connection = stream.connection as Ref<Connection>;

async function become(state: Connection): Promise<void> {
  connection.value = state;
  await nextTick();
  await vi.advanceTimersByTimeAsync(1_500);
  await nextTick();
}

async function show(component: Component, printer: Partial<Printer> = {}, job?: Partial<PrintJob>): Promise<HTMLElement> {
  const shown = printerSample({ ...(job ? { current_job_id: "j1" } : {}), ...printer });
  printers.replace([shown]);
  if (job) jobs.put(jobSample({ printer_id: "p1", ...job }));
  const { wrapper } = await mountPage(component, { printer: shown });
  unmount = () => wrapper.unmount();
  const card = byTestId("printer-card");
  if (!card) throw new Error("no card");
  return card;
}

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(async () => {
  unmount();
  await become("connecting");
  vi.useRealTimers();
  printers.replace([]);
  jobs.replace([]);
  await useLanguage("en");
});

describe.each<[string, Component]>([["card", PrinterCard], ["line", PrinterLine]])("the %s of a printer while the hub is away", (_, component) => {
  it.each<[Language, string, string]>([
    ["en", "Last known", "Last measured"], ["nl", "Laatst bekend", "Laatst gemeten"], ["de", "Zuletzt bekannt", "Zuletzt gemessen"],
  ])("says in %s that its state and temperatures are the last known ones, and no more when it is back", async (language, known, measured) => {
    await useLanguage(language);
    const card = await show(component);
    expect(byTestId("last-known")).toBeNull();
    await become("lost");
    expect(byTestId("last-known")?.textContent).toBe(known);
    expect(byTestId("last-measured")?.textContent).toBe(measured);
    await become("live");
    expect(byTestId("last-known")).toBeNull();
    expect(byTestId("last-measured")).toBeNull();
    expect(card.isConnected).toBe(true);
  });

  it("does not say that it heats now, nor offer what the hub cannot pass on", async () => {
    const until = new Date(Date.now() + 27 * 60_000).toISOString();
    const card = await show(component, { status: { state: "idle", tools: [{ actual: 180, target: 200 }], preheat: { until, reason: "asked" } } });
    expect(card.textContent).toContain("min left");
    await become("lost");
    expect(card.textContent).not.toContain("min left");
    expect(byTestId("preheating")?.textContent).toMatch(/Was preheated until .* not known/);
    expect(byTestId("cool-down")).toBeNull();
    expect(byTestId("still-hot")?.textContent).toContain("May still be hot: nozzle 180 °C when last measured.");
  });

  it("says nothing of heat that was not there, or is wanted", async () => {
    await show(component, { state: "printing", status: { state: "printing", tools: [{ actual: 200, target: 200 }] } }, { state: "printing" });
    await become("lost");
    expect(byTestId("still-hot")).toBeNull();
  });

  it("lets the time left of a print stand", async () => {
    const progress = { job_id: "j1", state: "printing" as const, fraction: 0.4, acknowledged_bytes: 1, total_bytes: 2, elapsed_s: 60, left_s: 3_600 };
    const card = await show(component, { state: "printing" }, { state: "printing", progress });
    await become("lost");
    const before = card.textContent;
    await vi.advanceTimersByTimeAsync(600_000);
    await nextTick();
    expect(card.textContent).toBe(before);
    expect(card.textContent).not.toContain("done");
  });
});

describe("a moment without the hub", () => {
  it("is not told", async () => {
    await show(PrinterCard);
    connection.value = "lost";
    await vi.advanceTimersByTimeAsync(1_000);
    await become("live");
    expect(byTestId("last-known")).toBeNull();
  });

  it("is told by the banner when it lasts", async () => {
    const { wrapper } = await mountPage(ConnectionBanner);
    unmount = () => wrapper.unmount();
    await become("lost");
    await flushPromises();
    expect(byTestId("connection-lost")).not.toBeNull();
  });

  it("does not leave a card saying that it is ready", async () => {
    const card = await show(PrinterCard);
    await become("lost");
    expect(card.textContent).not.toContain("Ready for a job");
    expect(card.textContent).toContain("What it does now is not known");
  });
});
