import { fileURLToPath } from "node:url";
import vue from "@vitejs/plugin-vue";
import vuetify from "vite-plugin-vuetify";
import { defineConfig } from "vitest/config";

// Where `npm run dev` finds a hub. The built dashboard is served by the hub itself.
const hub = process.env.VITE_HUB ?? "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [vue(), vuetify({ autoImport: true })],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  server: { proxy: { "/api": { target: hub, changeOrigin: false } } },
  build: { sourcemap: false, target: "es2022", chunkSizeWarningLimit: 700 },
  test: {
    environment: "happy-dom",
    include: ["src/**/*.test.ts"],
    setupFiles: ["src/app/testSetup.ts"],
    server: { deps: { inline: ["vuetify"] } },
    css: false,
  },
});
