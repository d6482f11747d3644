// The languages of the dashboard. English is always there; the others are fetched when they are chosen.
import { createI18n } from "vue-i18n";
import en from "@/locales/en.json";
import { remember, remembered } from "./preferences";

export const LANGUAGES = { en: "English", nl: "Nederlands", de: "Deutsch" } as const;
export type Language = keyof typeof LANGUAGES;

const isLanguage = (tag: string | undefined | null): tag is Language => tag !== null && tag !== undefined && tag in LANGUAGES;

/** The first language of the reader that we have. */
export function preferredLanguage(chosen: string | null, preferred: readonly string[]): Language {
  if (isLanguage(chosen)) return chosen;
  return preferred.map((tag) => tag.split("-")[0]?.toLowerCase()).find(isLanguage) ?? "en";
}

export const i18n = createI18n({ legacy: false, locale: "en", fallbackLocale: "en", messages: { en } });

const loaders: Record<Exclude<Language, "en">, () => Promise<{ default: typeof en }>> = {
  nl: () => import("@/locales/nl.json"),
  de: () => import("@/locales/de.json"),
};

const whenChanged: ((language: Language) => void)[] = [];

/** For what has texts of its own (Vuetify). */
export function onLanguage(handler: (language: Language) => void): void {
  whenChanged.push(handler);
}

export async function useLanguage(language: Language): Promise<void> {
  if (language !== "en") i18n.global.setLocaleMessage(language as "en", (await loaders[language]()).default);
  i18n.global.locale.value = language as "en";
  document.documentElement.lang = language;
  for (const handler of whenChanged) handler(language);
}

export async function chooseLanguage(language: Language): Promise<void> {
  remember("language", language);
  await useLanguage(language);
}

export const startLanguage = (): Promise<void> =>
  useLanguage(preferredLanguage(remembered("language"), navigator.languages));
