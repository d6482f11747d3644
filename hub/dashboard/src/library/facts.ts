// What a file tells about itself, in short.
import type { FileMetadata } from "@/api/types";

interface Amounts {
  length: (millimetres: number) => string;
  weight: (grams: number) => string;
  volume: (cubicCentimetres: number) => string;
}

/** "PrusaSlicer 2.5.0" */
export const slicerOf = (metadata?: FileMetadata): string =>
  [metadata?.slicer, metadata?.slicer_version].filter(Boolean).join(" ");

/** "4.31 m · 12.8 g"; what the slicer did not tell (or wrote as 0) is left out. */
export function filamentOf(metadata: FileMetadata | undefined, format: Amounts): string {
  const length = metadata?.filament_mm ? format.length(metadata.filament_mm) : "";
  const weight = metadata?.filament_g ? format.weight(metadata.filament_g) : "";
  // UltiMaker's files tell the volume alone.
  if (!length && !weight && metadata?.filament_cm3) return format.volume(metadata.filament_cm3);
  return [length, weight].filter(Boolean).join(" · ");
}
