// Vuetify: the two themes, the icons as SVG paths, and how components look unless told otherwise.
import "vuetify/styles";
import { createVuetify } from "vuetify";
import { aliases, mdi } from "vuetify/iconsets/mdi-svg";
import { de, en, nl } from "vuetify/locale";
import { onLanguage } from "./i18n";
import { remember, remembered } from "./preferences";

export const THEMES = ["system", "light", "dark"] as const;
export type ThemeChoice = (typeof THEMES)[number];

export const rememberedTheme = (): ThemeChoice => THEMES.find((name) => name === remembered("theme")) ?? "system";

const light = {
  background: "#f4f6f9", surface: "#ffffff", "surface-variant": "#3c4654", "on-surface-variant": "#eef1f5",
  primary: "#1b5fc9", secondary: "#52606d", error: "#b3261e", success: "#1a7440", warning: "#8f5800", info: "#1b5fc9",
  "on-background": "#17202b", "on-surface": "#17202b",
};
const dark = {
  background: "#10151d", surface: "#19202a", "surface-variant": "#c4ccd6", "on-surface-variant": "#19202a",
  primary: "#7fb0ff", secondary: "#a9b4c0", error: "#ff8a80", success: "#6fd195", warning: "#f2b24c", info: "#7fb0ff",
  "on-primary": "#06204a", "on-background": "#e7ecf2", "on-surface": "#e7ecf2",
};

export const vuetify = createVuetify({
  theme: {
    defaultTheme: rememberedTheme(),
    variations: false,
    themes: {
      light: { dark: false, colors: light, variables: { "medium-emphasis-opacity": 0.74 } },
      dark: { dark: true, colors: dark, variables: { "medium-emphasis-opacity": 0.74 } },
    },
  },
  icons: { defaultSet: "mdi", aliases, sets: { mdi } },
  locale: { locale: "en", fallback: "en", messages: { en, nl, de } },
  display: { mobileBreakpoint: 720 },
  defaults: {
    VBtn: { rounded: "lg", class: "text-none" },
    VCard: { rounded: "lg", elevation: 0 },
    VTextField: { rounded: "lg", variant: "outlined", density: "comfortable", hideDetails: "auto" },
    VSelect: { rounded: "lg", variant: "outlined", density: "comfortable", hideDetails: "auto" },
    VProgressLinear: { rounded: true, height: 6 },
    VTooltip: { openDelay: 400 },
  },
});

onLanguage((language) => {
  vuetify.locale.current.value = language;
});

export function chooseTheme(choice: ThemeChoice): void {
  remember("theme", choice);
  vuetify.theme.change(choice);
}
