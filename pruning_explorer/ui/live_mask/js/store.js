/** What is sent to the view of a name, and what it keeps when it is drawn anew elsewhere; whoever comes first makes it. */
export function storeOf(name) {
  const stores = (globalThis.pruningExplorerLiveMask ??= new Map());
  if (!stores.has(name)) stores.set(name, { messages: new Map(), memory: {}, take: null });
  return stores.get(name);
}

/** Forget it, unless somebody sends or listens. */
export function leaveStore(name) {
  const stores = globalThis.pruningExplorerLiveMask;
  const store = stores?.get(name);
  if (store && !store.messages.size && !store.take) stores.delete(name);
}

/** message.py's JSON header, and the bytes from `start` on. */
export function openMessage(bytes) {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true);
  return { header: JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))), start: 8 + length };
}
