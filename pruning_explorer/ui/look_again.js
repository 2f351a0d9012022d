// Asks for the next look at what is waited for, once the page has been at rest for a while. One that asks beside a run
// would report widgets as they stood before it, and may cost the browser the end of that run.
const ASKING = new WeakMap();
// What a hand does may have been sent, and the browser not have heard yet that a run began: a look then comes in beside
// it, and where that run leads to another page, the other page stays empty
const HANDS = ["pointerdown", "pointerup", "keydown", "keyup", "input", "change"];
// A busy server answers late. To ask again meanwhile would have it begin anew, and never come to the end
const PATIENCE = 15_000;

export default function ({ data, parentElement, setTriggerValue }) {
  ASKING.get(parentElement)?.(); // Streamlit calls anew when the data change, and does not clean up before
  const app = document.querySelector("[data-testid=stApp]");
  let timer = 0;
  let askNotBefore = 0;
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(look, data.seconds * 1000);
  };
  const look = () => {
    if (!parentElement.isConnected) return stop();
    // an app that does not say how it stands is asked all the same
    const rests = (app?.dataset.testScriptState ?? "notRunning") === "notRunning";
    if (rests && performance.now() >= askNotBefore) {
      setTriggerValue("look", data.run);
      askNotBefore = performance.now() + PATIENCE;
    }
    wait();
  };
  const change = new MutationObserver(() => {
    askNotBefore = 0;
    wait();
  });
  const stop = () => {
    clearTimeout(timer);
    change.disconnect();
    for (const hand of HANDS) document.removeEventListener(hand, wait, true);
  };
  if (app) change.observe(app, { attributes: true, attributeFilter: ["data-test-script-state"] });
  for (const hand of HANDS) document.addEventListener(hand, wait, true);
  ASKING.set(parentElement, stop);
  wait();
  return stop;
}
