// What axe finds on a screen. Serious and critical violations fail the test.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const source = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Gives a line for each serious or critical violation on the page as it is now. */
export async function violations(page, screen) {
  await page.evaluate(source);
  // Colours in the middle of a transition are nobody's contrast.
  await page.evaluate(() => Promise.all(document.getAnimations()
    .filter((animation) => animation.effect?.getComputedTiming().endTime !== Infinity)
    .map((animation) => animation.finished.catch(() => undefined))));
  const found = await page.evaluate(async () => {
    const { violations } = await globalThis.axe.run(document, { resultTypes: ["violations"] });
    return violations.map(({ id, impact, help, nodes }) => ({ id, impact, help, where: nodes.map((node) => `${node.target.join(" ")} ${node.any[0]?.message ?? ""}`) }));
  });
  return found
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, impact, help, where }) => `${screen}: ${impact} ${id}: ${help}\n    ${where.slice(0, 4).join("\n    ")}`);
}
