// How a print went, as the hub has it: read when somebody opens it, and again while it goes on and is looked at.
import { onScopeDispose, ref, shallowRef } from "vue";
import * as hub from "@/api/hub";
import type { TelemetryPoint } from "@/api/types";

const AGAIN_MS = 30_000;

export function useTelemetry(id: string, isActive: () => boolean) {
  const points = shallowRef<TelemetryPoint[]>();
  const failed = ref(false);
  const busy = ref(false);
  let readAt = 0;
  let mayGrow = true;
  let closed = false;

  async function load(): Promise<void> {
    if (busy.value) return;
    busy.value = true;
    readAt = Date.now();
    // Samples come to the hub some seconds after they were taken: the first reading after the end is not yet the last.
    mayGrow = isActive();
    try {
      const told = await hub.readTelemetry(id);
      if (!closed) points.value = told;
      failed.value = false;
    } catch {
      failed.value = true;
    } finally {
      busy.value = false;
    }
  }

  function again(): void {
    if (!document.hidden && (mayGrow || isActive())) void load();
  }
  function seen(): void {
    if (Date.now() - readAt >= AGAIN_MS) again();
  }

  const timer = setInterval(again, AGAIN_MS);
  document.addEventListener("visibilitychange", seen);
  onScopeDispose(() => {
    closed = true;
    clearInterval(timer);
    document.removeEventListener("visibilitychange", seen);
  });
  void load();
  return { points, failed, busy, load };
}
