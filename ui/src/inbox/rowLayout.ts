/** Where rows lie, in pixels from the top of the whole list. Rows are counted from the first that is held. */
export type RowLayout = {
  /** How high everything is. */
  extent: number;
  rowHeight: number;
  topOf: (row: number) => number;
  /** The row at a height; below 0 or past the last where rows lie that are not held. */
  rowAt: (top: number) => number;
};

/** Rows of one height: `length` in all, of which those from `base` on are held. */
export function evenLayout(base: number, length: number, rowHeight: number): RowLayout {
  return {
    extent: length * rowHeight,
    rowHeight,
    topOf: (row) => (base + row) * rowHeight,
    rowAt: (top) => Math.floor(top / rowHeight) - base,
  };
}
