/**
 * What is sent to a view of a name, and what it keeps when it is drawn anew elsewhere; whoever comes first makes it.
 * Several components may listen to one store: to what the whole page is about.
 */
export function storeOf(name) {
  const stores = (globalThis.pruningExplorerStores ??= new Map());
  if (!stores.has(name)) stores.set(name, { messages: new Map(), memory: {}, listeners: new Set() });
  return stores.get(name);
}

/** Calls `take(kind)` at each new message, and where one goes; returns how to end that. */
export function listenTo(name, take) {
  storeOf(name).listeners.add(take);
  return () => {
    storeOf(name).listeners.delete(take);
    leaveStore(name);
  };
}

/** Forget it, unless somebody sends or listens. */
export function leaveStore(name) {
  const stores = globalThis.pruningExplorerStores;
  const store = stores?.get(name);
  if (store && !store.messages.size && !store.listeners.size) stores.delete(name);
}

/** message.py's JSON header, and the bytes from `start` on. */
export function openMessage(bytes) {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true);
  return { header: JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))), start: 8 + length };
}

const TYPES = {
  float32: Float32Array,
  float64: Float64Array,
  uint32: Uint32Array,
  uint16: Uint16Array,
  uint8: Uint8Array,
};

/** What message.py's `pack_arrays` packed: its `header`, and each array by its name. */
export function unpack(bytes) {
  // a copy: typed arrays need aligned offsets, and the message's buffer can then be freed
  const whole = bytes.slice();
  const { header, start } = openMessage(whole);
  const arrays = {};
  for (const [name, [type, offset, count]] of Object.entries(header.sections)) {
    arrays[name] = new TYPES[type](whole.buffer, start + offset, count);
  }
  return { header, ...arrays };
}
