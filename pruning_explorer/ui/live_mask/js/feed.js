import { leaveRoom, openParcel, roomOf } from "./room.js";

// Hands one parcel to the view of the same name. Streamlit repeats a component's code in every message about it, so
// what changes often (the amount) comes through this short one, and the view's own message never changes.
export default function ({ data }) {
  let parcel = data;
  if (data instanceof Uint8Array) {
    const { header, start } = openParcel(data);
    parcel = { ...header, bytes: data.subarray(start) };
  }
  const room = roomOf(parcel.view);
  const before = room.parcels.get(parcel.slot);
  room.parcels.set(parcel.slot, parcel);
  if (!parcel.digest || before?.digest !== parcel.digest || before?.layer !== parcel.layer) room.take?.(parcel.slot);
  return () => {
    if (room.parcels.get(parcel.slot) !== parcel) return;
    room.parcels.delete(parcel.slot);
    room.take?.(parcel.slot);
    leaveRoom(parcel.view);
  };
}
