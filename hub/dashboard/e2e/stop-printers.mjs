// Emergency stops in a real browser: of one printer, of one chosen among all, then of all. It stops every printer of the hub that it is given: never give it
// one that anybody prints with.
//
//   HUB_URL=http://127.0.0.1:8080 OWNER_EMAIL=… OWNER_PASSWORD=… PRINTER=Ada SHOTS_DIR=test-results node e2e/stop-printers.mjs
import { violations } from "./accessibility.mjs";
import { DESKTOP, openBrowser, PHONE, until } from "./browser.mjs";

const { HUB_URL: hub, OWNER_EMAIL: email, OWNER_PASSWORD: password, PRINTER: name, SHOTS_DIR: shotsDir = "test-results" } = process.env;
if (!hub || !email || !password || !name) {
  console.error("Set HUB_URL, OWNER_EMAIL, OWNER_PASSWORD and PRINTER.");
  process.exit(2);
}

const { browser, page, troubles, shoot } = await openBrowser(shotsDir);
const barriers = [];
const at = (testId) => page.getByTestId(testId);
const check = async (screen) => { barriers.push(...(await violations(page, screen))); };
let step = "";
const begin = (what) => { step = what; console.log(`- ${what}`); };
const card = page.locator(`[data-testid="printer-card"][aria-label="${name}"]`);
/** The dialog in its place, not on its way there. */
const still = () => page.evaluate(() => Promise.all(document.getAnimations()
  .filter((animation) => animation.effect?.getComputedTiming().endTime !== Infinity).map((animation) => animation.finished.catch(() => undefined))));

async function signIn() {
  begin("sign in");
  await page.goto(`${hub}/`);
  await at("sign-in-email").locator("input").fill(email);
  await at("sign-in-password").locator("input").fill(password);
  await at("sign-in-submit").click();
  await card.waitFor();
}

async function stopOne() {
  begin(`stop ${name}`);
  await card.getByTestId("printer-stop").click();
  await at("confirm-yes").waitFor();
  await still();
  await check("stop one: the question");
  await shoot("stop-one-1440");
  await at("confirm-yes").click();
  await card.locator('[data-testid="printer-stopped"][data-state^="sent"]').waitFor();
  if (await at("printer-stopped").count() !== 1) throw new Error("another printer was stopped, too");
  await at("confirm-yes").waitFor({ state: "detached" });
  await check("one printer is stopped");
  await shoot("stopped-one-1440");
  begin("say that it is in order again");
  await card.getByTestId("stop-clear").click();
  await card.getByTestId("printer-stopped").waitFor({ state: "detached" });
}

async function stopSome() {
  begin(`stop ${name} alone, chosen among all`);
  await at("stop-all").click();
  await at("confirm-yes").waitFor();
  await still();
  await at("stop-choose-none").click();
  if (await at("confirm-yes").isEnabled()) throw new Error("nobody is chosen, and it can be confirmed");
  await check("stop some: nobody is chosen");
  await at("stop-targets").getByRole("checkbox", { name }).press("Space");
  await shoot("stop-some-1440");
  await at("confirm-yes").press("Enter");
  await card.locator('[data-testid="printer-stopped"][data-state^="sent"]').waitFor();
  if (await at("printer-stopped").count() !== 1) throw new Error("another printer was stopped, too");
  await at("confirm-yes").waitFor({ state: "detached" });
  await card.getByTestId("stop-clear").click();
  await card.getByTestId("printer-stopped").waitFor({ state: "detached" });
}

async function stopAll() {
  begin("stop all");
  await page.setViewportSize(PHONE);
  await at("stop-all").click();
  await at("confirm-yes").waitFor();
  await still();
  await check("stop all: the question");
  await shoot("stop-all-390");
  await page.keyboard.press("Enter");
  const count = await at("printer-card").count();
  await until("every printer to be stopped", async () => await page.locator('[data-testid="printer-stopped"][data-state^="sent"]').count() === count, 20);
  await at("confirm-yes").waitFor({ state: "detached" });
  await shoot("stopped-all-390");
  await page.setViewportSize(DESKTOP);
  await check("all printers are stopped");
  await shoot("stopped-all-1440");
  await page.emulateMedia({ colorScheme: "dark" });
  await check("all printers are stopped, dark");
  await shoot("stopped-all-1440-dark");
  await page.emulateMedia({ colorScheme: "light" });
  begin("see them as a list");
  await at("printers-view").click();
  await check("all printers are stopped, a list");
  await shoot("stopped-list-1440");
}

let failure = "";
try {
  page.setDefaultTimeout(20_000);
  await signIn();
  await stopOne();
  await stopSome();
  await stopAll();
} catch (error) {
  failure = `${step}: ${error.message}`;
}

const failed = [...(failure ? [failure] : []), ...barriers, ...troubles];
if (failed.length > 0) {
  await shoot("failed-stop").catch(() => undefined);
  console.log(`\n${failed.join("\n")}\n\nThe page as it was: ${shotsDir}/failed-stop.png\n0 passed, 1 failed`);
}
await browser.close();
if (failed.length > 0) process.exit(1);
console.log("1 passed, 0 failed");
