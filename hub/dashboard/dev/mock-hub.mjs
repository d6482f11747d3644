// A STAND-IN for the hub, for work on the dashboard only: six made-up printers that print in seconds, nothing kept.
// It answers the REST contract well enough to look at every screen. `node dev/mock-hub.mjs [port]` serves dist/ too.
// Sign in with any email and the password "stardust".
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { createFactory } from "./mock-factory.mjs";

const port = Number(process.argv[2] ?? 8080);
const dist = fileURLToPath(new URL("../dist", import.meta.url));
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".json": "application/json" };
// As strict as the hub's own.
const POLICY = "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'self'";
const listeners = new Set();
let eventId = 0;

const factory = createFactory((change) => {
  eventId += 1;
  for (const response of listeners) response.write(`id: ${eventId}\nevent: change\ndata: ${JSON.stringify(change)}\n\n`);
});

const session = {
  user: { id: "u1", email: "ada@example.org", name: "Ada Lovelace", role: "admin" },
  workspace: { id: "w1", name: "The workshop" },
  expires_at: new Date(Date.now() + 864e5).toISOString(),
};

function json(response, status, body) {
  response.writeHead(status, { "content-type": status >= 400 ? "application/problem+json" : "application/json" });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}

const problem = (status, code, detail) => ({ problem: true, status, body: { type: "about:blank", title: code, status, code, detail } });

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function stream(request, response) {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  response.write(`id: ${eventId}\nevent: reset\ndata: {}\n\n`);
  listeners.add(response);
  request.on("close", () => listeners.delete(response));
}

/** [method, pattern, handler(parts, body, query) → [status, body] or a problem] */
const routes = [
  ["GET", /^session$/, () => [200, session]],
  ["DELETE", /^session$/, () => [204]],
  ["GET", /^tokens$/, () => [200, { items: factory.tokens }]],
  ["POST", /^tokens$/, (_, body) => [201, factory.addToken(JSON.parse(body).name)]],
  ["DELETE", /^tokens\/(.+)$/, ([id]) => [204, factory.removeToken(id)]],
  ["GET", /^printers$/, () => [200, { items: factory.printers() }]],
  ["GET", /^printers\/([^/]+)$/, ([id]) => [200, factory.printer(id)]],
  ["PATCH", /^printers\/([^/]+)$/, ([id], body) => [200, factory.changePrinter(id, JSON.parse(body))]],
  ["DELETE", /^printers\/([^/]+)$/, ([id]) =>
    factory.printer(id).current_job_id ? problem(409, "printer_busy", "A job is on this printer.") : [204, factory.removePrinter(id)]],
  ["POST", /^printers\/([^/]+)\/answer$/, ([id], body) => {
    const printer = factory.answerPrinter(id, JSON.parse(body));
    return printer ? [200, printer] : problem(409, "not_asked", "The printer does not ask that any more.");
  }],
  ["POST", /^printers\/([^/]+)\/preheat$/, ([id], body) => [200, factory.preheat(id, JSON.parse(body))]],
  ["POST", /^printers\/([^/]+)\/cool-down$/, ([id]) => [200, factory.coolDown(id)]],
  ["POST", /^printers\/emergency-stop$/, (_, body) => [202, factory.stopSeveral(JSON.parse(body))]],
  ["POST", /^printers\/([^/]+)\/emergency-stop$/, ([id]) => [202, factory.stop(id)]],
  ["POST", /^printers\/([^/]+)\/emergency-stop\/clear$/, ([id]) => [200, factory.clearStop(id)]],
  ["POST", /^pairings$/, (_, body) => {
    const printer = factory.pairByPin(JSON.parse(body).pin);
    return printer ? [201, printer] : problem(422, "bad_pin", "No printer shows this PIN: it was used already, has expired, or was mistyped.");
  }],
  ["POST", /^pairing-codes$/, () => [201, factory.pairingCode()]],
  ["GET", /^files$/, () => [200, { items: factory.files() }]],
  ["POST", /^files$/, (_, body, query) => {
    if (body.length === 0) return problem(422, "empty_file", "The file is empty.");
    if (!/[GM]\d/.test(body.toString("latin1", 0, 1e5))) {
      return problem(422, "not_gcode", `${query.get("name")} is not a G-code file; nothing was stored. Slice the model and upload what the slicer exports.`);
    }
    return [201, factory.addFile(query.get("name"), body)];
  }],
  ["DELETE", /^files\/([^/]+)$/, ([id]) => [204, factory.removeFile(id)]],
  ["GET", /^jobs$/, (_, __, query) => [200, { items: factory.jobs(query.get("scope")) }]],
  ["POST", /^jobs$/, (_, body) => [201, factory.order(JSON.parse(body))]],
  ["GET", /^jobs\/([^/]+)$/, ([id]) => [200, factory.job(id)]],
  ["GET", /^jobs\/([^/]+)\/transitions$/, ([id]) => [200, { items: factory.transitions(id) }]],
  ["GET", /^jobs\/([^/]+)\/telemetry$/, ([id], _, query) => [200, { points: factory.telemetry(id, Number(query.get("points") ?? 500)) }]],
  ["POST", /^jobs\/([^/]+)\/(pause|resume|cancel)$/, ([id, what]) => [202, factory.request(id, what)]],
  ["POST", /^jobs\/([^/]+)\/confirm-removal$/, ([id]) => [200, factory.confirmRemoval(id)]],
];

async function answer(request, response, url) {
  const path = url.pathname.slice("/api/v1/".length);
  if (path === "session" && request.method === "POST") {
    const right = JSON.parse(await bodyOf(request)).password === "stardust";
    if (!right) return json(response, 401, problem(401, "bad_credentials", "Email or password is not right.").body);
    response.setHeader("set-cookie", "mock=1; HttpOnly; SameSite=Strict; Path=/");
    return json(response, 200, session);
  }
  if (!(request.headers.cookie ?? "").includes("mock=1")) {
    return json(response, 401, problem(401, "not_signed_in", "Sign in first.").body);
  }
  if (path === "session" && request.method === "DELETE") response.setHeader("set-cookie", "mock=0; Path=/");
  if (path === "stream") return stream(request, response);
  const thumbnail = /^files\/([^/]+)\/thumbnail$/.exec(path);
  if (thumbnail) {
    response.writeHead(200, { "content-type": "image/svg+xml" });
    return response.end(factory.thumbnail(thumbnail[1]));
  }
  for (const [method, pattern, handle] of routes) {
    const match = pattern.exec(path);
    if (method !== request.method || !match) continue;
    const result = handle(match.slice(1), await bodyOf(request), url.searchParams);
    if (result.problem) return json(response, result.status, result.body);
    return json(response, result[0], result[0] === 204 ? undefined : result[1]);
  }
  return json(response, 404, problem(404, "not_found", "There is nothing here.").body);
}

async function page(response, path) {
  const wanted = join(dist, normalize(path));
  const file = extname(path) ? wanted : join(dist, "index.html");
  try {
    const bytes = await readFile(file);
    response.writeHead(200, { "content-security-policy": POLICY, "content-type": TYPES[extname(file)] ?? "application/octet-stream" });
    response.end(bytes);
  } catch {
    response.writeHead(404).end();
  }
}

createServer((request, response) => {
  const url = new URL(request.url, "http://mock");
  const answered = url.pathname.startsWith("/api/v1/") ? answer(request, response, url)
    : url.pathname === "/api/openapi.json" ? json(response, 200, { info: { version: "0.0.0-stand-in" } })
      : page(response, url.pathname);
  Promise.resolve(answered).catch((error) => {
    console.error(error);
    json(response, 500, problem(500, "mock_failed", String(error)).body);
  });
}).listen(port, "127.0.0.1", () => console.log(`stand-in hub on http://127.0.0.1:${port}`));
