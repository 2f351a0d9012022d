export default () => {
  const link = "[data-testid=stTooltipContent] a, [data-testid=stDataFrameTooltipContent] a";
  const keep = (event) => {
    if (event.target.closest?.(link)) event.preventDefault();
  };
  const open = (event) => {
    if (event.key !== "Enter" || !event.target.closest?.("[data-testid=stTooltipIcon]")) return;
    document.querySelector(link)?.click();
  };
  document.addEventListener("mousedown", keep, true);
  document.addEventListener("keydown", open, true);
  return () => {
    document.removeEventListener("mousedown", keep, true);
    document.removeEventListener("keydown", open, true);
  };
};
