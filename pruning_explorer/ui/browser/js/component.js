// Streamlit calls a component's function at each run and when the theme changes, and what that returns when the element
// goes; or calls anew without that, also for an element that it has filled anew meanwhile.

/**
 * A component's function. Each element has one app, from its first call until it goes.
 * @param open makes an app with a `root` of (parentElement, data)
 * @param take brings it to what Python says, (app, data)
 * @param leave ends all that would outlive it
 * @param fits whether an app can go on with these data, (app, data)
 */
export function component({ open, take, leave, fits = () => true }) {
  const apps = new WeakMap();
  const close = (app) => {
    if (apps.get(app.parent) !== app) return;
    apps.delete(app.parent);
    leave(app);
  };
  return ({ data, parentElement, setStateValue }) => {
    let app = apps.get(parentElement);
    if (app && !(app.root.isConnected && fits(app, data))) {
      close(app);
      app = undefined;
    }
    if (!app) {
      app = open(parentElement, data);
      Object.assign(app, { parent: parentElement, generation: 0 });
      apps.set(parentElement, app);
      // Streamlit pales what waits for Python; these show what is new by themselves
      const frame = parentElement.host?.closest("[data-testid=stElementContainer]");
      frame?.style.setProperty("opacity", "1", "important");
    }
    app.send = setStateValue;
    take(app, data);
    const generation = ++app.generation;
    return () => {
      if (generation === app.generation) close(app);
    };
  };
}
