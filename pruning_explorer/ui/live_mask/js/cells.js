// Where a cell of the picture lies in the tensor.

export function blockEdges(length) {
  const count = Math.min(256, length);
  return Uint32Array.from({ length: count + 1 }, (_, i) => Math.floor((i * length) / count));
}

// How cells of the picture fall into channels. A `run` of cells holds `across` of them and `of` says which one a column
// belongs to: dim 0 has runs, and `of` where outputs stand side by side; dim 1 has one run and `of`.
export function channelPlan(h) {
  if (h.kind === "strip") return { run: 1, across: 1, of: null, count: h.numel, dim: 0 };
  const [high, wide] = h.tile;
  const columns = (channel) => Uint32Array.from({ length: h.cols }, (_, c) => channel(c));
  if (h.channel_dim === 1) {
    const count = h.shape[1];
    return { run: h.numel, across: count, of: columns((c) => Math.floor(c / wide) % count), count, dim: 1 };
  }
  const part = h.cols / h.across;
  const of = h.across > 1 ? columns((c) => Math.floor(c / part)) : null;
  return { run: high * h.cols, across: h.across, of, count: h.shape[0], dim: 0 };
}

// Channel of the i-th cell of the whole picture.
export function channelOf({ channels, cols }, i) {
  const { run, across, of } = channels;
  return of ? ((i / run) | 0) * across + of[i % cols] : (i / run) | 0;
}

// Index in the tensor of a cell of the picture, outermost dim first.
export function tensorIndex(layer, row, col) {
  const { shape, kind } = layer.header;
  if (kind === "strip") return shape.length ? [row * layer.cols + col] : [];
  if (kind === "mosaic") {
    const { tileRows: h, tileCols: w, across } = layer;
    const tile = Math.floor(col / w);
    return [Math.floor(row / h) * across + Math.floor(tile / shape[1]), tile % shape[1], row % h, col % w];
  }
  const index = [];
  let rest = col;
  for (let d = shape.length - 1; d > 0; d--) {
    index.unshift(rest % shape[d]);
    rest = Math.floor(rest / shape[d]);
  }
  return [row, ...index];
}
