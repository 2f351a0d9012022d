import { leaveStore, openMessage, storeOf } from "./store.js";

// Hands one message to the store of its view. Streamlit repeats a component's code in every message about it, so
// what changes often (the amount) comes through this short one, and the view's own message never changes.
export default function ({ data }) {
  let message = data;
  if (data instanceof Uint8Array) {
    const { header, start } = openMessage(data);
    message = { ...header, bytes: data.subarray(start) };
  }
  const store = storeOf(message.view);
  const before = store.messages.get(message.kind);
  store.messages.set(message.kind, message);
  if (!message.digest || before?.digest !== message.digest || before?.layer !== message.layer)
    for (const take of store.listeners) take(message.kind);
  return () => {
    if (store.messages.get(message.kind) !== message) return;
    store.messages.delete(message.kind);
    for (const take of store.listeners) take(message.kind);
    leaveStore(message.view);
  };
}
