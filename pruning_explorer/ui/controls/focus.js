export default ({ parentElement, data }) => {
  const list = (parentElement.host ?? parentElement).closest("[role=dialog]");
  if (list && !list.contains(document.activeElement)) list.querySelector("button:not(:disabled)")?.focus();
  return () => {
    const began = performance.now();
    const back = () => {
      if (document.activeElement !== document.body || performance.now() - began > 2000) return;
      document.querySelector(`.st-key-${data.popover} [data-testid=stPopoverButton]:not(:disabled)`)?.focus();
      requestAnimationFrame(back);
    };
    requestAnimationFrame(back);
  };
};
