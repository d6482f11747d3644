// The hub's resources by the names people use for them. The shapes are generated from the hub's OpenAPI.
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Session = Schemas["Session"];
export type ApiToken = Schemas["ApiToken"];
export type NewApiToken = Schemas["NewApiToken"];
export type Printer = Schemas["Printer"];
export type PrinterState = Schemas["PrinterState"];
export type Preheat = Schemas["Preheat"];
export type PrinterStatus = Schemas["PrinterStatus"];
export type Temperature = Schemas["Temperature"];
export type Attention = Schemas["Attention"];
export type EmergencyStop = Schemas["EmergencyStop"];
export type Preheating = Schemas["PreheatReport"];
export type Interruption = Schemas["Interruption"];
export type LayerStart = Schemas["LayerStart"];
export type Motion = Schemas["Motion"];
export type PrintFile = Schemas["PrintFile"];
export type FileMetadata = Schemas["FileMetadata"];
export type PrintJob = Schemas["PrintJob"];
export type JobState = Schemas["JobState"];
export type JobProgress = Schemas["JobProgress"];
export type JobTransition = Schemas["JobTransition"];
export type TelemetryPoint = Schemas["TelemetryPoint"];
export type PairingCode = Schemas["PairingCode"];
