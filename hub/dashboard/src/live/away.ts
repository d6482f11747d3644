// Whether the hub is away, so that what is shown is how it was. Not at once: most interruptions are over within a moment.
import { readonly, ref, watch } from "vue";
import { stream } from "./live";

const PATIENCE_MS = 1_500;
const away = ref(false);
let timer: ReturnType<typeof setTimeout> | undefined;

watch(stream.connection, (state) => {
  clearTimeout(timer);
  if (state === "lost") timer = setTimeout(() => { away.value = true; }, PATIENCE_MS);
  else away.value = false;
}, { immediate: true });

export const hubAway = readonly(away);
