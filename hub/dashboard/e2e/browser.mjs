// The browser of the test, and all that must not happen in it.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";

const ARGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];

export const DESKTOP = { width: 1440, height: 900 };
export const PHONE = { width: 390, height: 844 };

export async function openBrowser(shotsDir) {
  mkdirSync(shotsDir, { recursive: true });
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ARGS });
  const context = await browser.newContext({ viewport: DESKTOP, locale: "en-GB", colorScheme: "light" });
  const page = await context.newPage();
  const troubles = watchFor(page);
  const shoot = (name) => page.screenshot({ path: join(shotsDir, `${name}.png`) });
  return { browser, page, troubles, shoot };
}

/** Asking who is signed in is answered with 401 before the sign-in: that one is as it should be. */
const isExpected = (url, status) => status === 401 && new URL(url).pathname === "/api/v1/session";

/** Collects console errors, page errors and failed requests. */
function watchFor(page) {
  const troubles = [];
  page.on("console", (message) => {
    if (message.type() !== "error") return;
    const { url } = message.location();
    if (url && message.text().includes("status of 401") && isExpected(url, 401)) return;
    troubles.push(`console error: ${message.text()} (${url})`);
  });
  page.on("pageerror", (error) => troubles.push(`page error: ${error.stack ?? error}`));
  page.on("requestfailed", (request) => {
    const why = request.failure()?.errorText ?? "";
    // The page closes its stream itself when it is left; the browser calls that aborted.
    if (why === "net::ERR_ABORTED" && request.url().endsWith("/api/v1/stream")) return;
    troubles.push(`failed request: ${request.method()} ${request.url()}: ${why}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400 && !isExpected(response.url(), response.status())) {
      troubles.push(`answer ${response.status()}: ${response.request().method()} ${response.url()}`);
    }
  });
  return troubles;
}

/** Waits until `probe` gives something true; says what was awaited when it does not. */
export async function until(what, probe, seconds) {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const found = await probe();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`waited ${seconds} s for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Drops a file onto an element, as a hand would: enter, over, drop, with a DataTransfer that holds it. */
export async function dropFile(page, testId, name, bytes) {
  const transfer = await page.evaluateHandle(({ name, base64 }) => {
    const binary = atob(base64);
    const data = Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([data], name));
    return transfer;
  }, { name, base64: bytes.toString("base64") });
  for (const type of ["dragenter", "dragover", "drop"]) {
    await page.dispatchEvent(`[data-testid="${testId}"]`, type, { dataTransfer: transfer });
  }
}

/** Makes what the page sends slow enough that its progress can be seen; gives back how to end that. */
export async function slowUploads(page, bytesPerSecond) {
  const session = await page.context().newCDPSession(page);
  const set = (uploadThroughput) => session.send("Network.emulateNetworkConditions",
    { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput });
  await session.send("Network.enable");
  await set(bytesPerSecond);
  return async () => {
    await set(-1);
    await session.detach();
  };
}
