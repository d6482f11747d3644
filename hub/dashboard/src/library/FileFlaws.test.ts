import { flushPromises } from "@vue/test-utils";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { PrintFile } from "@/api/types";
import { files } from "@/live/live";
import { byTestId, mountPage } from "@/testing/mountPage";
import { fileSample } from "@/testing/samples";
import FileRow from "./FileRow.vue";
import UploadRow from "./UploadRow.vue";
import { queue } from "./uploads";

let unmount: () => void = () => undefined;

const cutOff = (): PrintFile => fileSample({ metadata: { slicer: "Cura", truncated: true } });

async function upload(file: PrintFile): Promise<HTMLElement> {
  files.replace([file]);
  const done = { id: 1, name: file.name, size: 9, state: "done", sent: 9, speed: 0, fileId: file.id };
  const { wrapper } = await mountPage(UploadRow, { upload: done });
  unmount = () => wrapper.unmount();
  const row = byTestId("upload-row");
  if (!row) throw new Error("no row");
  return row;
}

afterEach(() => {
  unmount();
  files.replace([]);
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe("a file whose end is missing", () => {
  it("says so in the library", async () => {
    const { wrapper } = await mountPage(FileRow, { file: cutOff() });
    unmount = () => wrapper.unmount();
    expect(byTestId("file-cut-off")?.textContent).toContain("The end of this file is missing");
  });

  it("has no tick when it was uploaded, and stays in sight", async () => {
    vi.useFakeTimers();
    const dismiss = vi.spyOn(queue, "dismiss");
    const row = await upload(cutOff());
    expect(row.textContent).toContain("its end is missing");
    expect(row.className).not.toContain("done");
    expect(row.querySelector("[role=alert]")).not.toBeNull();
    vi.advanceTimersByTime(60_000);
    expect(dismiss).not.toHaveBeenCalled();
  });
});

describe("a file that the hub still reads", () => {
  const unread = (): PrintFile => fileSample({ extraction: "pending", metadata: undefined });

  it("has no tick yet and stays, so that a flaw which is found after ten seconds is seen", async () => {
    vi.useFakeTimers();
    const dismiss = vi.spyOn(queue, "dismiss");
    const row = await upload(unread());
    expect(row.className).not.toContain("done");
    expect(row.textContent).toContain("being read");
    vi.advanceTimersByTime(10_000);
    files.put(cutOff());
    await flushPromises();
    expect(row.textContent).toContain("its end is missing");
    vi.advanceTimersByTime(60_000);
    expect(dismiss).not.toHaveBeenCalled();
  });

  it("has one when it was read, and goes by itself then", async () => {
    vi.useFakeTimers();
    const dismiss = vi.spyOn(queue, "dismiss");
    const row = await upload(unread());
    vi.advanceTimersByTime(10_000);
    files.put(fileSample());
    await flushPromises();
    expect(row.className).toContain("done");
    expect(dismiss).not.toHaveBeenCalled();
    vi.advanceTimersByTime(4_000);
    expect(dismiss).toHaveBeenCalledExactlyOnceWith(1);
  });
});

describe("other files", () => {
  it("have a tick when they were uploaded, and go by themselves", async () => {
    vi.useFakeTimers();
    const dismiss = vi.spyOn(queue, "dismiss");
    const row = await upload(fileSample());
    expect(row.className).toContain("done");
    vi.advanceTimersByTime(60_000);
    expect(dismiss).toHaveBeenCalledExactlyOnceWith(1);
  });

  it("that can't be read say so", async () => {
    const row = await upload(fileSample({ extraction: "failed", metadata: undefined }));
    expect(row.dataset.flaw).toBe("unreadable");
  });
});
