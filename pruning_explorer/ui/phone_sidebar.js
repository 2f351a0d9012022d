export default ({ data }) => {
  const phone = matchMedia(`(max-width: ${data.phone}px)`);
  const buttons = {
    "[data-testid=stExpandSidebarButton]": data.open,
    "[data-testid=stSidebarCollapseButton] button": data.close,
  };
  const name = () => {
    for (const [selector, words] of Object.entries(buttons)) {
      const button = document.querySelector(selector);
      if (!button) continue;
      button.dataset.own ??= button.getAttribute("aria-label");
      const wanted = phone.matches ? words : button.dataset.own;
      if (button.getAttribute("aria-label") !== wanted) button.setAttribute("aria-label", wanted);
    }
  };
  const forget = () => {
    if (!phone.matches) return;
    for (const key of Object.keys(localStorage)) if (key.startsWith(data.remembered)) localStorage.removeItem(key);
  };
  const leave = ({ target }) => {
    if (!phone.matches || !target.closest("[data-testid=stSidebarNavLink]")) return;
    document.querySelector("[data-testid=stSidebarCollapseButton] button")?.click();
  };
  // Each of the two is made anew when the other one was pressed
  const pressed = () => {
    name();
    forget();
  };
  const observer = new MutationObserver(pressed);
  for (const part of ["stHeader", "stSidebar"]) {
    const root = document.querySelector(`[data-testid=${part}]`);
    if (root) observer.observe(root, { attributes: true, attributeFilter: ["aria-expanded"] });
    const header = part === "stHeader" ? root : root?.querySelector("[data-testid=stSidebarHeader]");
    if (header) observer.observe(header, { childList: true, subtree: true });
  }
  document.addEventListener("click", leave);
  phone.addEventListener("change", pressed);
  pressed();
  return () => {
    observer.disconnect();
    document.removeEventListener("click", leave);
    phone.removeEventListener("change", pressed);
  };
};
