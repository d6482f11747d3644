// The calls of the hub that the dashboard makes, each by one name.
import { answer, api, told } from "./client";
import { allPages, PAGE_SIZE } from "./pages";
import type { Page } from "./pages";
import type { ApiToken, JobTransition, PairingCode, Preheat, Printer, PrintFile, PrintJob, Session, TelemetryPoint } from "./types";

const by = (id: string) => ({ params: { path: { id } } });
const limited = (cursor?: string) => ({ limit: PAGE_SIZE, ...(cursor === undefined ? {} : { cursor }) });

export const readSession = (): Promise<Session> => answer(api.GET("/api/v1/session"));
export const signIn = (email: string, password: string): Promise<Session> =>
  answer(api.POST("/api/v1/session", { body: { email, password } }));
export const signOut = () => answer(api.DELETE("/api/v1/session"));

export const listTokens = (): Promise<ApiToken[]> => allPages<ApiToken>(() => answer(api.GET("/api/v1/tokens")));
export const createToken = (name: string) => answer(api.POST("/api/v1/tokens", { body: { name } }));
export const deleteToken = (id: string) => answer(api.DELETE("/api/v1/tokens/{id}", by(id)));

export const listPrinters = (): Promise<Printer[]> =>
  allPages<Printer>((cursor) => answer(api.GET("/api/v1/printers", { params: { query: limited(cursor) } })));
export const readPrinter = (id: string): Promise<Printer> => answer(api.GET("/api/v1/printers/{id}", by(id)));
export const changePrinter = (id: string, change: { name?: string; model?: string }): Promise<Printer> =>
  answer(api.PATCH("/api/v1/printers/{id}", { ...by(id), body: change }));
export const removePrinter = (id: string) => answer(api.DELETE("/api/v1/printers/{id}", by(id)));
export const answerPrinter = (id: string, attention: string, button: number): Promise<Printer> =>
  answer(api.POST("/api/v1/printers/{id}/answer", { ...by(id), body: { attention_id: attention, button } }));
/** Stops a printer at once; its `emergency_stop` tells how far that is. */
export const stopPrinter = (id: string): Promise<Printer> => answer(api.POST("/api/v1/printers/{id}/emergency-stop", by(id)));
/** Also those that were added a moment ago. `named`: of these the answer tells when the hub does not know them. */
export const stopAllPrinters = (named: string[] = []) =>
  answer(api.POST("/api/v1/printers/emergency-stop", { body: { all: true, ...(named.length ? { ids: named } : {}) } }));
/** The answer names those that the hub does not know: they are not stopped. */
export const stopPrinters = (ids: string[]) => answer(api.POST("/api/v1/printers/emergency-stop", { body: { ids } }));
/** Clears the stop that was seen; the hub refuses when another one stands by now. */
export const clearStop = (id: string, stopId: string): Promise<Printer> =>
  answer(api.POST("/api/v1/printers/{id}/emergency-stop/clear", { ...by(id), body: { stop_id: stopId } }));
/** Heats an idle printer for a time; its `status.preheat` tells until when. */
export const preheatPrinter = (id: string, wanted: Preheat) =>
  told(api.POST("/api/v1/printers/{id}/preheat", { ...by(id), body: wanted }));
export const coolDownPrinter = (id: string) => told(api.POST("/api/v1/printers/{id}/cool-down", by(id)));
export const pairByPin = (pin: string): Promise<Printer> => answer(api.POST("/api/v1/pairings", { body: { pin } }));
export const createPairingCode = (): Promise<PairingCode> => answer(api.POST("/api/v1/pairing-codes"));

export const listFiles = (): Promise<PrintFile[]> =>
  allPages<PrintFile>((cursor) => answer(api.GET("/api/v1/files", { params: { query: limited(cursor) } })));
export const readFile = (id: string): Promise<PrintFile> => answer(api.GET("/api/v1/files/{id}", by(id)));
export const deleteFile = (id: string) => answer(api.DELETE("/api/v1/files/{id}", by(id)));
export const contentUrl = (id: string): string => `/api/v1/files/${encodeURIComponent(id)}/content`;
export const uploadUrl = (name: string): string => `/api/v1/files?name=${encodeURIComponent(name)}`;

export const listActiveJobs = (): Promise<PrintJob[]> =>
  allPages<PrintJob>((cursor) =>
    answer(api.GET("/api/v1/jobs", { params: { query: { scope: "active", ...limited(cursor) } } })));
export const listHistory = (cursor?: string): Promise<Page<PrintJob>> =>
  answer(api.GET("/api/v1/jobs", { params: { query: { scope: "history", ...limited(cursor), limit: 50 } } }));
export const readJob = (id: string): Promise<PrintJob> => answer(api.GET("/api/v1/jobs/{id}", by(id)));
export const listTransitions = async (id: string): Promise<JobTransition[]> =>
  (await answer(api.GET("/api/v1/jobs/{id}/transitions", by(id)))).items;
/** More points than a chart of this size can show would only cost time. */
const POINTS = 300;
export const readTelemetry = async (id: string): Promise<TelemetryPoint[]> =>
  (await answer(api.GET("/api/v1/jobs/{id}/telemetry", { params: { path: { id }, query: { points: POINTS } } }))).points;

/** A key made once for one press of the button: a repeated request cannot start a second job. */
export const startJob = (
  fileId: string, printerId: string | undefined, key: string, evenIfCutOff = false,
): Promise<PrintJob> =>
  answer(api.POST("/api/v1/jobs", {
    body: {
      file_id: fileId,
      ...(printerId === undefined ? {} : { printer_id: printerId }),
      ...(evenIfCutOff ? { even_if_cut_off: true } : {}),
    },
    headers: { "Idempotency-Key": key },
  }));
export const pauseJob = (id: string): Promise<PrintJob> => answer(api.POST("/api/v1/jobs/{id}/pause", by(id)));
export const resumeJob = (id: string): Promise<PrintJob> => answer(api.POST("/api/v1/jobs/{id}/resume", by(id)));
/** A print that was cut off goes on from a layer that somebody chose. */
export const resumeJobFrom = (id: string, layer: number): Promise<PrintJob> =>
  answer(api.POST("/api/v1/jobs/{id}/resume", { ...by(id), body: { from_layer: layer } }));
export const cancelJob = (id: string): Promise<PrintJob> => answer(api.POST("/api/v1/jobs/{id}/cancel", by(id)));
export const confirmRemoval = (id: string): Promise<PrintJob> =>
  answer(api.POST("/api/v1/jobs/{id}/confirm-removal", by(id)));
