// What Vuetify expects of a browser and the tests' DOM lacks.
class NoObserver {
  observe(): void { /* nothing is laid out in tests */ }
  unobserve(): void { /* the same */ }
  disconnect(): void { /* the same */ }
}
globalThis.ResizeObserver = NoObserver as unknown as typeof ResizeObserver;
globalThis.IntersectionObserver = NoObserver as unknown as typeof IntersectionObserver;
globalThis.visualViewport ??= new EventTarget() as unknown as VisualViewport;
