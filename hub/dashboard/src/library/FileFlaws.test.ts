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
