// Mounts a component with what every page has: Vuetify, English texts, the routes.
import { mount } from "@vue/test-utils";
import type { Component } from "vue";
import { h } from "vue";
import { createMemoryHistory, createRouter } from "vue-router";
import { VApp } from "vuetify/components";
import { i18n } from "@/app/i18n";
import { vuetify } from "@/app/vuetify";

export async function mountPage(component: Component, props: Record<string, unknown> = {}) {
  const blank = { render: () => null };
  const router = createRouter({
    history: createMemoryHistory(),
    routes: ["printers", "library", "jobs", "settings", "sign-in"].map((name) => ({ path: `/${name}`, name, component: blank })),
  });
  await router.push("/library");
  const wrapper = mount({ render: () => h(VApp, null, () => h(component, props)) }, {
    attachTo: document.body,
    global: { plugins: [vuetify, i18n, router] },
  });
  return { wrapper, router };
}

/** An element by its data-testid, wherever it is (dialogs stand outside of their component). */
export const byTestId = (id: string): HTMLElement | null => document.querySelector<HTMLElement>(`[data-testid="${id}"]`);
