// Something that a person asks for: busy while it runs, and a sentence when it fails.
import { ref } from "vue";
import { useI18n } from "vue-i18n";
import { sentenceOf } from "@/api/problem";
import { notify } from "./notices";

export function useAction() {
  const { t } = useI18n();
  const busy = ref(false);
  const error = ref("");

  /** True when it worked. A second press while it runs does nothing. */
  async function run(work: () => Promise<unknown>): Promise<boolean> {
    if (busy.value) return false;
    busy.value = true;
    error.value = "";
    try {
      await work();
      return true;
    } catch (failure) {
      error.value = sentenceOf(failure, t);
      return false;
    } finally {
      busy.value = false;
    }
  }

  /** As `run`; a failure is shown as a notice, for actions that have no place of their own for it. */
  async function attempt(work: () => Promise<unknown>): Promise<boolean> {
    const worked = await run(work);
    if (!worked && error.value) notify("error", error.value);
    return worked;
  }

  return { busy, error, run, attempt };
}
