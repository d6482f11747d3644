// The pages, each loaded when it is first opened, and the way to the sign-in for whoever is not signed in.
import { nextTick } from "vue";
import { createRouter, createWebHistory } from "vue-router";
import { knowSession, session } from "@/accounts/session";
import { i18n } from "./i18n";

export const router = createRouter({
  history: createWebHistory(),
  scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
  routes: [
    { path: "/", redirect: "/printers" },
    { path: "/sign-in", name: "sign-in", component: () => import("@/accounts/SignInPage.vue"), meta: { open: true } },
    { path: "/printers", name: "printers", component: () => import("@/printers/PrintersPage.vue") },
    { path: "/library", name: "library", component: () => import("@/library/LibraryPage.vue") },
    { path: "/jobs", name: "jobs", component: () => import("@/jobs/JobsPage.vue") },
    { path: "/settings", name: "settings", component: () => import("@/app/SettingsPage.vue") },
    { path: "/:rest(.*)*", redirect: "/printers" },
  ],
});

router.beforeEach(async (to) => {
  await knowSession();
  if (session.value && to.name === "sign-in") return { name: "printers" };
  if (session.value || to.meta.open === true) return true;
  return { name: "sign-in", query: to.path === "/printers" ? {} : { next: to.fullPath } };
});

router.afterEach((to) => {
  void nextTick(() => {
    document.title = typeof to.name === "string" ? `${i18n.global.t(`page.${to.name}`)} · Stardust` : "Stardust";
  });
});
