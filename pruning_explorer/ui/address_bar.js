export default ({ data }) => {
  const now = new URLSearchParams(location.search),
    kept = new URLSearchParams();
  for (const name of ["embed", "embed_options"]) {
    for (const value of now.getAll(name)) kept.append(name, value);
    now.delete(name);
  }
  if (now.toString() !== new URLSearchParams(data.instead_of).toString()) return;
  const query = [kept.toString(), data.query].filter(Boolean).join("&");
  if (location.search !== `?${query}`) history.replaceState(history.state, "", `${location.pathname}?${query}`);
};
