// Layers as a tree: their names, split at dots. A branch has two children or more, since a chain of blocks with one
// child each is one row.
const LONGEST = 24; // characters of a row's label; more where so few would not tell it from its neighbours
const ALL_OPEN = 12; // layers up to which a tree begins wholly open
const FIRST_ROWS = 16; // rows that a larger one begins with, at most, unless its blocks at the top are more

/**
 * The tree of these names.
 * @return the root, whose rows are its children. A node has its full `name`, an `id`, a `label` for its row, its `layers`
 *   as places in `names`, its `children` and its `parent`; a leaf has one layer and no children
 */
export function buildTree(names) {
  const root = makeNode("", "", "", null);
  const branches = new Map();
  names.forEach((name, layer) => {
    const parts = name.split(".");
    const last = parts.pop();
    let at = root;
    let path = "";
    for (const part of parts) {
      at.layers.push(layer);
      path += `${part}.`;
      // A layer may be called as a branch is; their ids differ in the first letter
      if (!branches.has(path)) branches.set(path, addNode(at, path.slice(0, -1), `/${path}`, part));
      at = branches.get(path);
    }
    at.layers.push(layer);
    addNode(at, name, `=${name}`, last).layers.push(layer);
  });
  const kept = [root];
  for (const branch of kept) {
    branch.children = branch.children.map(withoutChain);
    labelRows(branch);
    for (const node of branch.children) if (isBranch(node)) kept.push(node);
  }
  return root;
}

const makeNode = (name, id, label, parent) => ({ name, id, label, parent, layers: [], children: [] });

function addNode(parent, name, id, label) {
  const node = makeNode(name, id, label, parent);
  parent.children.push(node);
  return node;
}

export const isBranch = (node) => node.children.length > 0;

// The first node of a chain that branches or ends, under the names of all.
function withoutChain(node) {
  const words = [node.label];
  let end = node;
  while (end.children.length === 1) {
    end = end.children[0];
    words.push(end.label);
  }
  if (end === node) return node;
  return Object.assign(end, { label: words.join("."), parent: node.parent });
}

// Rows without the ".weight" that most layers end in, and never two the same under one branch.
function labelRows(branch) {
  const full = branch.children.map(({ label }) => label);
  const bare = full.map((label) => label.replace(/(?<=.)\.weight$/, ""));
  const labels = shortLabels(new Set(bare).size === new Set(full).size ? bare : full);
  branch.children.forEach((node, i) => (node.label = labels[i]));
}

/** Each of these without its middle where it is long, and different ones still different. */
export function shortLabels(labels, longest = LONGEST) {
  const letters = labels.map((label) => Array.from(label));
  const different = new Set(labels).size;
  for (let most = longest; ; most++) {
    const short = letters.map((all) => withoutMiddle(all, most));
    if (new Set(short).size === different) return short;
  }
}

function withoutMiddle(letters, most) {
  if (letters.length <= most) return letters.join("");
  const end = Math.ceil((most - 1) * 0.6); // where names differ most often
  return [...letters.slice(0, most - 1 - end), "…", ...letters.slice(-end)].join("");
}

/** The ids of the branches that a tree begins with open. */
export function openAtFirst(root) {
  const open = new Set();
  let level = root.children;
  let rows = level.length;
  for (;;) {
    const below = level.flatMap((node) => node.children);
    rows += below.length;
    if (!below.length || (root.layers.length > ALL_OPEN && rows > FIRST_ROWS)) return open;
    for (const node of level) if (isBranch(node)) open.add(node.id);
    level = below;
  }
}

/**
 * The layers that have every word of `text` in their name or type; null where there is no word.
 * @param layers [name, type, ...] of each
 */
export function findLayers(layers, text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return null;
  const found = new Set();
  layers.forEach(([name, type], layer) => {
    const said = `${name} ${type}`.toLowerCase();
    if (words.every((word) => said.includes(word))) found.add(layer);
  });
  return found;
}

/**
 * What is seen of a tree, top to bottom: {node, label, level, place, among, layers} of each row, which stands at `place` of
 * `among` under its branch.
 * @param open ids of open branches
 * @param found the layers that are looked for; null for all. Their branches are all open, rows stand for them alone, and
 *   where only one thing in a block was found, it shares a row with its block
 */
export function visibleRows(root, open, found = null) {
  const rows = [];
  const under = (branch) =>
    branch.children
      .map((node) => ({ node, layers: found ? node.layers.filter((layer) => found.has(layer)) : node.layers }))
      .filter(({ layers }) => layers.length);
  const walk = (branch, level) => {
    const seen = under(branch);
    seen.forEach(({ node, layers }, i) => {
      const labels = [node.label];
      let below = found ? under(node) : [];
      while (below.length === 1) {
        [{ node }] = below;
        labels.push(node.label);
        below = under(node);
      }
      rows.push({ node, label: labels.join("."), level, place: i + 1, among: seen.length, layers });
      if (isBranch(node) && (found || open.has(node.id))) walk(node, level + 1);
    });
  };
  walk(root, 1);
  return rows;
}
