/** Where rows lie, in pixels from the top of the whole list. Rows are counted from the first that is held. */
export type RowLayout = {
  /** How high everything is. */
  extent: number;
  rowHeight: number;
  /** How much of the upper edge is covered by what sticks to it. */
  covered: number;
  topOf: (row: number) => number;
  /** The row at a height; below 0 or past the last where rows lie that are not held. */
  rowAt: (top: number) => number;
};

/** Rows of one height: `length` in all, of which those from `base` on are held. */
export function evenLayout(base: number, length: number, rowHeight: number): RowLayout {
  return {
    extent: length * rowHeight,
    rowHeight,
    covered: 0,
    topOf: (row) => (base + row) * rowHeight,
    rowAt: (top) => Math.floor(top / rowHeight) - base,
  };
}

/** A group's place: its header at `top`, and under it `count` rows from `first` on. */
export type GroupBox = { first: number; count: number; top: number; height: number };

/** Rows in groups of so many, each under a header that sticks to the upper edge. */
export function groupedLayout(counts: readonly number[], rowHeight: number, header: number): RowLayout & { boxes: readonly GroupBox[] } {
  const boxes: GroupBox[] = [];
  let [first, top] = [0, 0];
  for (const count of counts) {
    const height = header + count * rowHeight;
    boxes.push({ first, count, top, height });
    first += count;
    top += height;
  }
  const boxOf = (isAfter: (box: GroupBox) => boolean) => {
    const next = firstThat(boxes, isAfter);
    return boxes[Math.max(0, next - 1)];
  };
  return {
    boxes,
    extent: top,
    rowHeight,
    covered: header,
    topOf: (row) => {
      const box = boxOf(({ first }) => first > row);
      return box ? box.top + header + (row - box.first) * rowHeight : 0;
    },
    rowAt: (at) => {
      const box = boxOf(({ top }) => top > at);
      return box ? box.first + Math.min(box.count - 1, Math.max(0, Math.floor((at - box.top - header) / rowHeight))) : 0;
    },
  };
}

/** The index of the first box for which it is true; it is true for all that follow it. */
function firstThat(boxes: readonly GroupBox[], test: (box: GroupBox) => boolean): number {
  let [low, high] = [0, boxes.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (test(boxes[middle]!)) high = middle;
    else low = middle + 1;
  }
  return low;
}
