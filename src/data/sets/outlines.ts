/** An outline around the origin: the distance to it, negative inside. Its outermost point is 1 from the origin. */
export interface Form {
  readonly name: string;
  readonly distance: (x: number, y: number) => number;
}

type Point = readonly [x: number, y: number];

/** Points around the origin, at the given distances in turn, as equal angles apart. */
const around = (count: number, radii: readonly number[]): readonly Point[] =>
  Array.from({ length: count }, (_, i) => {
    const [radius, angle] = [radii[i % radii.length]!, (2 * Math.PI * i) / count];
    return [radius * Math.sin(angle), -radius * Math.cos(angle)];
  });

/** Distance to a polygon: the nearest edge's, negative where a ray to the right crosses an odd number of edges. */
function polygon(points: readonly Point[]): Form["distance"] {
  const edges = points.map(([x, y], i) => {
    const [toX, toY] = points[(i + 1) % points.length]!;
    return { x, y, toY, dx: toX - x, dy: toY - y, square: (toX - x) ** 2 + (toY - y) ** 2 };
  });
  return (px, py) => {
    let [nearest, isInside] = [Number.POSITIVE_INFINITY, false];
    for (const { x, y, toY, dx, dy, square } of edges) {
      const along = Math.min(1, Math.max(0, ((px - x) * dx + (py - y) * dy) / square));
      const [offX, offY] = [px - x - along * dx, py - y - along * dy];
      nearest = Math.min(nearest, offX * offX + offY * offY);
      if (y > py !== toY > py && px < x + ((py - y) / dy) * dx) isInside = !isInside;
    }
    return isInside ? -Math.sqrt(nearest) : Math.sqrt(nearest);
  };
}

const length = (x: number, y: number): number => Math.sqrt(x * x + y * y);

/** A bar's half width, and its half length so that the corners are 1 from the origin. */
const [half, reach] = [0.28, 0.96];
const cross: readonly Point[] = [
  [-half, -reach],
  [half, -reach],
  [half, -half],
  [reach, -half],
  [reach, half],
  [half, half],
  [half, reach],
  [-half, reach],
  [-half, half],
  [-reach, half],
  [-reach, -half],
  [-half, -half],
];
const arrow: readonly Point[] = [
  [0, -1],
  [0.75, 0],
  [0.28, 0],
  [0.28, 0.96],
  [-0.28, 0.96],
  [-0.28, 0],
  [-0.75, 0],
];

/** The classes of the drawn set, in the order of their labels. */
export const forms: readonly Form[] = [
  { name: "circle", distance: (x, y) => length(x, y) - 1 },
  { name: "square", distance: polygon(around(4, [1])) },
  { name: "triangle", distance: polygon(around(3, [1])) },
  { name: "star", distance: polygon(around(10, [1, 0.4])) },
  { name: "ring", distance: (x, y) => Math.abs(length(x, y) - 0.75) - 0.25 },
  { name: "cross", distance: polygon(cross) },
  { name: "crescent", distance: (x, y) => Math.max(length(x, y) - 1, 0.8 - length(x - 0.45, y)) },
  { name: "arrow", distance: polygon(arrow) },
];
