// Which part of the picture is seen, shared by all panes.
export const NUMBERS_FROM = 30; // cells this wide carry their number
const LARGEST_CELL = 64;
const SQUARE_FROM = 24; // below this, cells may be stretched so that a narrow matrix fills its pane

// zoom 1 = the whole layer fits; `cx`, `cy` = the cell in the middle.
export function frame(port, picture, width, height) {
  const fitX = width / picture.cols;
  const fitY = height / picture.rows;
  const base = Math.min(fitX, fitY, LARGEST_CELL);
  const most = Math.max(1, LARGEST_CELL / base);
  port.zoom = Math.min(most, Math.max(1, port.zoom));
  const side = base * port.zoom;
  const stretch = Math.max(1, Math.min(Math.max(fitX, fitY) / base, 12));
  const long = Math.max(side, Math.min(side * stretch, SQUARE_FROM));
  const sx = fitX > fitY ? long : side;
  const sy = fitX > fitY ? side : long;
  const origin = (centre, seen, length) =>
    seen >= length ? (length - seen) / 2 : Math.min(length - seen, Math.max(0, centre - seen / 2));
  const x0 = origin(port.cx, width / sx, picture.cols);
  const y0 = origin(port.cy, height / sy, picture.rows);
  port.cx = x0 + width / sx / 2;
  port.cy = y0 + height / sy / 2;
  return {
    x0,
    y0,
    sx,
    sy,
    width,
    height,
    most,
    c0: Math.max(0, Math.floor(x0)),
    c1: Math.min(picture.cols, Math.ceil(x0 + width / sx)),
    r0: Math.max(0, Math.floor(y0)),
    r1: Math.min(picture.rows, Math.ceil(y0 + height / sy)),
  };
}

export const wholePicture = (picture) => ({ zoom: 1, cx: picture.cols / 2, cy: picture.rows / 2 });

// Zoom by a factor so that the cell under (px, py) stays there.
export function zoomAt(port, picture, seen, factor, px, py) {
  const col = seen.x0 + px / seen.sx;
  const row = seen.y0 + py / seen.sy;
  port.zoom *= factor;
  const after = frame({ ...port }, picture, seen.width, seen.height);
  port.zoom = Math.min(after.most, Math.max(1, port.zoom));
  port.cx = col - px / after.sx + seen.width / after.sx / 2;
  port.cy = row - py / after.sy + seen.height / after.sy / 2;
}

export function cellAt(picture, seen, px, py) {
  const col = Math.floor(seen.x0 + px / seen.sx);
  const row = Math.floor(seen.y0 + py / seen.sy);
  return col >= 0 && row >= 0 && col < picture.cols && row < picture.rows ? { row, col } : null;
}

// Move the view just enough to bring a cell inside.
export function reveal(port, seen, cell) {
  const shift = (value, from, length) =>
    value < from ? value - from : value + 1 > from + length ? value + 1 - from - length : 0;
  port.cx += shift(cell.col, seen.x0, seen.width / seen.sx);
  port.cy += shift(cell.row, seen.y0, seen.height / seen.sy);
}
