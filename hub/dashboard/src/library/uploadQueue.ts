// The files on their way to the hub: a few at a time, in the order they were given.
import { shallowReactive } from "vue";
import type { PrintFile } from "@/api/types";
import { createSpeedometer } from "./speed";
import type { Transfer } from "./uploadRequest";

export type UploadState = "waiting" | "sending" | "done" | "failed" | "cancelled";

export interface Upload {
  readonly id: number;
  readonly name: string;
  readonly size: number;
  readonly state: UploadState;
  readonly sent: number;
  /** Bytes a second; 0 while nothing is known. */
  readonly speed: number;
  readonly error?: unknown;
  /** What became of it in the library. */
  readonly fileId?: string;
}

interface Entry {
  file: File;
  transfer?: Transfer;
}

export interface UploadQueue {
  /** In the order given; each change is a new object. */
  readonly uploads: ReadonlyMap<number, Upload>;
  add: (files: Iterable<File>) => void;
  cancel: (id: number) => void;
  retry: (id: number) => void;
  /** Takes a finished, failed or cancelled one off the list. */
  dismiss: (id: number) => void;
}

export interface UploadQueueOptions {
  send: (file: File, sent: (bytes: number) => void) => Transfer;
  stored: (file: PrintFile) => void;
  now: () => number;
  atOnce?: number;
}

export function createUploadQueue({ send, stored, now, atOnce = 2 }: UploadQueueOptions): UploadQueue {
  const uploads = shallowReactive(new Map<number, Upload>());
  const entries = new Map<number, Entry>();
  let nextId = 1;

  function change(id: number, to: Partial<Upload>): void {
    const upload = uploads.get(id);
    if (upload) uploads.set(id, { ...upload, ...to });
  }

  function startWaiting(): void {
    let sending = [...uploads.values()].filter((upload) => upload.state === "sending").length;
    for (const upload of [...uploads.values()]) {
      if (sending >= atOnce) return;
      if (upload.state !== "waiting") continue;
      sending += 1;
      void start(upload.id);
    }
  }

  async function start(id: number): Promise<void> {
    const entry = entries.get(id);
    if (!entry) return;
    const speedometer = createSpeedometer(now);
    change(id, { state: "sending", sent: 0, speed: 0, error: undefined });
    const transfer = send(entry.file, (sent) => change(id, { sent, speed: speedometer.at(sent) }));
    entry.transfer = transfer;
    try {
      const file = await transfer.done;
      stored(file);
      change(id, { state: "done", sent: entry.file.size, fileId: file.id });
      entries.delete(id);
    } catch (error) {
      // A cancelled transfer ends with an error of its own; the person knows already.
      if (uploads.get(id)?.state === "sending") change(id, { state: "failed", error });
    }
    startWaiting();
  }

  return {
    uploads,
    add: (files) => {
      for (const file of files) {
        const id = nextId++;
        entries.set(id, { file });
        uploads.set(id, { id, name: file.name, size: file.size, state: "waiting", sent: 0, speed: 0 });
      }
      startWaiting();
    },
    cancel: (id) => {
      const state = uploads.get(id)?.state;
      if (state !== "waiting" && state !== "sending") return;
      change(id, { state: "cancelled" });
      entries.get(id)?.transfer?.abort();
      startWaiting();
    },
    retry: (id) => {
      const state = uploads.get(id)?.state;
      if (state !== "failed" && state !== "cancelled") return;
      change(id, { state: "waiting", sent: 0, speed: 0, error: undefined });
      startWaiting();
    },
    dismiss: (id) => {
      const state = uploads.get(id)?.state;
      if (state === "waiting" || state === "sending") return;
      uploads.delete(id);
      entries.delete(id);
    },
  };
}
