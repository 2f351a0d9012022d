/** What is sent to the view of a name, and what it keeps when it is drawn anew elsewhere; whoever comes first makes it. */
export function roomOf(name) {
  const rooms = (globalThis.pruningExplorerLiveMask ??= new Map());
  if (!rooms.has(name)) rooms.set(name, { parcels: new Map(), memory: {}, take: null });
  return rooms.get(name);
}

/** Forget it, unless somebody sends or listens. */
export function leaveRoom(name) {
  const rooms = globalThis.pruningExplorerLiveMask;
  const room = rooms?.get(name);
  if (room && !room.parcels.size && !room.take) rooms.delete(name);
}

/** parcel.py's JSON header, and the bytes from `start` on. */
export function openParcel(bytes) {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true);
  return { header: JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))), start: 8 + length };
}
