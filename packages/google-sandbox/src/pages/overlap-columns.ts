type Span = { from: number; to: number };

/**
 * Side-by-side places for spans that overlap: each gets the first free column, and all of a group
 * that touch each other share its number of columns.
 * @param spans ordered by their beginning
 */
export function columnsOf<Item extends Span>(
  spans: Item[],
): { item: Item; column: number; columns: number }[] {
  const placed: { item: Item; column: number; columns: number }[] = [];
  let group: typeof placed = [];
  let columnEnds: number[] = [];
  const closeGroup = () => {
    for (const place of group) place.columns = columnEnds.length;
    group = [];
    columnEnds = [];
  };
  for (const item of spans) {
    if (columnEnds.every((end) => end <= item.from)) closeGroup();
    const free = columnEnds.findIndex((end) => end <= item.from);
    const column = free === -1 ? columnEnds.length : free;
    columnEnds[column] = item.to;
    const place = { item, column, columns: 1 };
    group.push(place);
    placed.push(place);
  }
  closeGroup();
  return placed;
}
