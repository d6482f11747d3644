// What the stand-in hub has found in a made-up file.

export function facts(text) {
  const cura = /Cura_SteamEngine ([\d.]+)/.exec(text);
  return {
    slicer: cura ? "Cura" : "PrusaSlicer", slicer_version: cura?.[1] ?? "2.7.4", estimated_time_s: Number(/;TIME:(\d+)/.exec(text)?.[1] ?? 4380),
    filament_mm: 4312, filament_g: 12.86, layer_height_mm: 0.2, layer_count: 93, material: "PLA", truncated: false,
  };
}

/** A picture, SVG. */
export function thumbnail(id) {
  const hue = parseInt(id.slice(0, 4), 16) % 360;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><path d="M32 8 54 20v24L32 56 10 44V20z" fill="hsl(${hue} 45% 60%)"/><path d="M32 32 54 20v24L32 56z" fill="hsl(${hue} 45% 42%)"/><path d="M32 8 54 20 32 32 10 20z" fill="hsl(${hue} 50% 74%)"/></svg>`;
}
