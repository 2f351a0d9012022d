// Hands one parcel to the view of the same name. Streamlit repeats a component's code in every message about it, so
// what changes often (the amount) comes through this short one, and the view's own message never changes.
export default function ({ data }) {
  const rooms = (globalThis.pruningExplorerLiveMask ??= new Map());
  let parcel = data;
  if (data instanceof Uint8Array) {
    const length = new DataView(data.buffer, data.byteOffset).getUint32(4, true);
    parcel = JSON.parse(new TextDecoder().decode(data.subarray(8, 8 + length)));
    parcel.bytes = data.subarray(8 + length);
  }
  let room = rooms.get(parcel.view);
  if (!room) rooms.set(parcel.view, (room = { parcels: new Map(), memory: {}, take: null }));
  const before = room.parcels.get(parcel.slot);
  room.parcels.set(parcel.slot, parcel);
  if (!parcel.digest || before?.digest !== parcel.digest || before?.layer !== parcel.layer) room.take?.(parcel.slot);
  return () => {
    if (room.parcels.get(parcel.slot) !== parcel) return;
    room.parcels.delete(parcel.slot);
    room.take?.(parcel.slot);
    if (!room.parcels.size && !room.take) rooms.delete(parcel.view);
  };
}
