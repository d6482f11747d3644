// A clock for what is shown: one timer for the whole page, only while somebody looks at it.
import { onScopeDispose, readonly, ref } from "vue";
import type { Ref } from "vue";

const now = ref(Date.now());
let watchers = 0;
let timer: ReturnType<typeof setInterval> | undefined;

const tick = (): void => {
  now.value = Date.now();
};

/** The present time in milliseconds, ticking each second. */
export function useNow(): Readonly<Ref<number>> {
  watchers += 1;
  if (timer === undefined) {
    tick();
    timer = setInterval(tick, 1_000);
  }
  onScopeDispose(() => {
    watchers -= 1;
    if (watchers === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  });
  return readonly(now);
}
