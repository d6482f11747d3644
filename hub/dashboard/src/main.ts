import { createApp } from "vue";
import { endSession, session } from "@/accounts/session";
import { onSignedOut } from "@/api/client";
import App from "@/app/App.vue";
import { i18n, startLanguage } from "@/app/i18n";
import { router } from "@/app/router";
import { vuetify } from "@/app/vuetify";
import { stream } from "@/live/live";
import { restWhileHidden } from "@/live/visibility";
import "@/app/style.css";

onSignedOut(() => {
  if (!session.value) return;
  const next = router.currentRoute.value.fullPath;
  endSession();
  void router.push({ name: "sign-in", query: { next } });
});

restWhileHidden(stream, () => session.value !== undefined);

await startLanguage();
createApp(App).use(vuetify).use(i18n).use(router).mount("#app");
