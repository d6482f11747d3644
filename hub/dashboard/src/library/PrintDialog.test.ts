import { flushPromises } from "@vue/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import * as hub from "@/api/hub";
import { Problem } from "@/api/problem";
import { jobs, printers } from "@/live/live";
import { byTestId, mountPage } from "@/testing/mountPage";
import { fileSample, jobSample, printerSample } from "@/testing/samples";
import PrintDialog from "./PrintDialog.vue";

let unmount: () => void = () => undefined;
let router: Awaited<ReturnType<typeof mountPage>>["router"];
const closed = vi.fn();

async function show(file = fileSample()): Promise<HTMLElement> {
  const mounted = await mountPage(PrintDialog, { file, onClose: closed });
  unmount = () => mounted.wrapper.unmount();
  router = mounted.router;
  await flushPromises();
  const dialog = byTestId("print-dialog");
  if (!dialog) throw new Error("no dialog");
  return dialog;
}

beforeEach(() => {
  printers.replace([
    printerSample({ id: "p1", name: "Prusa 1" }),
    printerSample({ id: "p2", name: "Prusa 2", state: "offline", contact: { state: "lost" } }),
    printerSample({ id: "p3", name: "Prusa 3", state: "offline", contact: { state: "lost", waits: true } }),
  ]);
});

afterEach(() => {
  unmount();
  printers.replace([]);
  jobs.replace([]);
  closed.mockReset();
  vi.restoreAllMocks();
});

describe("the print dialog", () => {
  it("offers the first available printer, and each one with its state", async () => {
    const dialog = await show();
    expect(dialog.textContent).toContain("bracket.gcode");
    expect(dialog.textContent?.replaceAll("\u00a0", " ")).toContain("1 h 13 min · 4.31 m · 12.9 g · PETG");
    expect(dialog.textContent).toContain("1 printer is free now");
    expect([...dialog.querySelectorAll(".hint")].map((hint) => hint.textContent)).toEqual([
      "Out of contact: the job waits until it is back", "Shows nothing live: the job starts when its agent finds it ready",
    ]);
    expect(dialog.querySelector<HTMLInputElement>("[data-testid=print-target-any]")?.checked).toBe(true);
  });

  it("starts on the first available one when nothing else is chosen", async () => {
    const start = vi.spyOn(hub, "startJob").mockResolvedValue(jobSample());
    await show();
    byTestId("print-confirm")?.click();
    await flushPromises();
    expect(start).toHaveBeenCalledWith("f1", undefined, expect.any(String));
    expect(jobs.byId.get("j1")?.state).toBe("queued");
    expect(closed).toHaveBeenCalled();
    await vi.waitFor(() => expect(router.currentRoute.value.name).toBe("printers"));
  });

  it("starts a file without its end only when somebody says that this is known", async () => {
    const start = vi.spyOn(hub, "startJob").mockResolvedValue(jobSample());
    const whole = fileSample();
    await show({ ...whole, metadata: { ...whole.metadata, truncated: true } });
    const confirm = byTestId("print-confirm") as HTMLButtonElement;
    expect(confirm.disabled).toBe(true);
    document.querySelector<HTMLInputElement>("[data-testid=print-cut-off] input, input[data-testid=print-cut-off]")?.click();
    await flushPromises();
    expect(confirm.disabled).toBe(false);
    confirm.click();
    await flushPromises();
    expect(start).toHaveBeenCalledWith("f1", undefined, expect.any(String), true);
  });

  it("may be sent to a printer that is offline", async () => {
    const start = vi.spyOn(hub, "startJob").mockResolvedValue(jobSample());
    const dialog = await show();
    dialog.querySelector<HTMLInputElement>('[data-printer-id="p2"]')?.click();
    await flushPromises();
    byTestId("print-confirm")?.click();
    await flushPromises();
    expect(start).toHaveBeenCalledWith("f1", "p2", expect.any(String));
    // It will not be on the printer for a while: the queue tells why.
    await vi.waitFor(() => expect(router.currentRoute.value.name).toBe("jobs"));
  });

  it("stays open with the reason when it did not work, and repeats with the same key", async () => {
    const start = vi.spyOn(hub, "startJob").mockRejectedValue(new Problem(409, "refused", "This file is for another printer."));
    const dialog = await show();
    byTestId("print-confirm")?.click();
    await flushPromises();
    expect(dialog.textContent).toContain("This file is for another printer.");
    expect(closed).not.toHaveBeenCalled();
    byTestId("print-confirm")?.click();
    await flushPromises();
    const keys = start.mock.calls.map(([, , key]) => key);
    expect(keys).toHaveLength(2);
    expect(keys[0]).toBe(keys[1]);
  });
});
