import { drawText, fillBox, fillDisk, fillShape, strokeLine } from "./canvas.ts";
import type { Contour } from "./coverage.ts";
import { hash } from "./noise.ts";
import { lit, type Rgb, type Scene } from "./scene.ts";

/** A row of houses and trees along the horizon, wide enough for the picture. */
export const drawVillage = (scene: Scene): void => {
  const { canvas, unit, random } = scene;
  let x = -unit * 4 + random() * unit * 4;
  for (let i = 0; x < canvas.width; i++) {
    const isTree = i % 3 === 1;
    const width = unit * (isTree ? 11 + random() * 6 : 21 + random() * 9);
    const base = scene.horizon + unit * (5 + random() * 5);
    if (isTree) drawTree(scene, x + width / 2, base + unit * 2);
    else drawHouse(scene, { x, base, width, height: unit * (17 + random() * 9), kind: i + Math.floor(random() * 3) });
    x += width * (isTree ? 0.75 : 1.04);
  }
};

interface House {
  readonly x: number;
  readonly base: number;
  readonly width: number;
  readonly height: number;
  readonly kind: number;
}

const walls: readonly Rgb[] = [
  [164, 82, 62],
  [222, 206, 170],
  [188, 196, 200],
  [206, 150, 92],
];
const signs = ["BAKERY 1872", "Café Lumière", "BOOKS & MAPS", "No. 47 · INN", "APOTHEKE", "Clocks, Watches"];

const drawHouse = (scene: Scene, house: House): void => {
  const { canvas, unit, random } = scene;
  const { x, base, width, height, kind } = house;
  const top = base - height;
  const wall = walls[kind % walls.length]!;
  fillBox(canvas, { x, y: top, width, height }, wall);
  (kind % 2 === 0 ? drawBricks : drawBoards)(scene, house, wall);
  drawRoof(scene, house);
  const columns = Math.max(2, Math.floor(width / (unit * 6.5)));
  for (let row = 0; row < 2; row++)
    for (let i = 0; i < columns; i++) {
      const place = {
        x: x + (width * (i + 0.5)) / columns - unit * 1.6,
        y: top + unit * (2.2 + row * 6),
        width: unit * 3.2,
        height: unit * 4.2,
      };
      drawWindow(scene, place, kind);
    }
  drawSign(scene, { ...house, y: top + unit * 13.2 }, signs[Math.floor(random() * signs.length)]!);
  drawAwning(scene, { ...house, y: top + unit * 15.8 });
};

const drawBricks = ({ canvas, unit, seed }: Scene, { x, base, width, height }: House, wall: Rgb): void => {
  const [w, h] = [Math.max(3, unit * 1.5), Math.max(2, unit * 0.62)];
  for (let row = 0; row * h < height; row++)
    for (let i = -1; i * w < width; i++) {
      const left = Math.max(x, x + (i + (row % 2) / 2) * w);
      const right = Math.min(x + width, x + (i + 1 + (row % 2) / 2) * w - Math.max(0.6, unit * 0.13));
      const light = 0.78 + hash(i, row, seed + Math.round(x)) * 0.42;
      if (right > left) {
        const y = base - (row + 1) * h;
        fillBox(canvas, { x: left, y, width: right - left, height: h - Math.max(0.5, unit * 0.11) }, lit(wall, light));
      }
    }
};

const drawBoards = ({ canvas, unit, seed }: Scene, { x, base, width, height }: House, wall: Rgb): void => {
  const step = Math.max(2, unit * 0.95);
  for (let i = 0; i * step < height; i++) {
    const y = base - (i + 1) * step;
    fillBox(canvas, { x, y, width, height: step }, lit(wall, 0.92 + hash(i, 1, seed) * 0.14));
    fillBox(canvas, { x, y: y + step * 0.82, width, height: Math.max(0.5, step * 0.18) }, lit(wall, 0.62));
  }
};

/** Rows of rounded tiles on a trapezoid. */
const drawRoof = ({ canvas, unit, seed }: Scene, { x, base, width, height, kind }: House): void => {
  const [eaves, rise, lean] = [base - height, unit * 8, unit * 4];
  const color = (
    [
      [138, 62, 44],
      [84, 88, 98],
      [152, 92, 60],
    ] as const
  )[kind % 3]!;
  const over = unit * 1.1;
  const outline: Contour = [
    [x - over, eaves],
    [x + lean, eaves - rise],
    [x + width - lean, eaves - rise],
    [x + width + over, eaves],
  ];
  fillShape(canvas, [outline], lit(color, 0.7));
  const rows = Math.max(4, Math.floor(rise / Math.max(2, unit * 0.9)));
  for (let row = rows - 1; row >= 0; row--) {
    const t = row / rows;
    const [left, right] = [x - over + t * (lean + over), x + width + over - t * (lean + over)];
    const y = eaves - (rise * (row + 1)) / rows;
    const tile = Math.max(2, unit * 1.05);
    for (let i = 0; left + (i + 1) * tile <= right; i++)
      fillBox(
        canvas,
        { x: left + i * tile, y, width: tile * 0.86, height: (rise / rows) * 0.8 },
        lit(color, 0.8 + hash(i, row, seed + kind) * 0.5),
      );
  }
  fillBox(canvas, { x: x - over, y: eaves - unit * 0.2, width: width + 2 * over, height: unit * 0.7 }, [64, 56, 50]);
};

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const drawShutters = ({ canvas, unit }: Scene, { x, y, width, height }: Box, kind: number): void => {
  const shutter = (
    [
      [52, 92, 72],
      [70, 92, 132],
      [126, 48, 44],
    ] as const
  )[kind % 3]!;
  for (const side of [x - width * 0.48, x + width * 1.06]) {
    fillBox(canvas, { x: side, y, width: width * 0.42, height }, shutter);
    const slats = Math.max(4, Math.floor(height / Math.max(1.6, unit * 0.42)));
    for (let i = 0; i < slats; i++)
      fillBox(
        canvas,
        { x: side + width * 0.05, y: y + (height * i) / slats, width: width * 0.32, height: (height / slats) * 0.5 },
        lit(shutter, 1.45),
      );
  }
};

const drawWindow = (scene: Scene, box: Box, kind: number): void => {
  const { canvas, unit, random } = scene;
  const { x, y, width, height } = box;
  drawShutters(scene, box, kind);
  fillBox(
    canvas,
    { x: x - unit * 0.3, y: y - unit * 0.3, width: width + unit * 0.6, height: height + unit * 0.6 },
    [240, 238, 230],
  );
  fillBox(canvas, box, lit([52, 66, 84], 0.8 + random() * 0.8));
  fillShape(
    canvas,
    [
      [
        [x, y + height * 0.5],
        [x + width * 0.7, y],
        [x + width, y],
        [x, y + height * 0.85],
      ],
    ],
    [214, 226, 236],
    0.35,
  );
  fillBox(canvas, { x: x + width / 2 - unit * 0.12, y, width: unit * 0.24, height }, [240, 238, 230]);
  fillBox(canvas, { x, y: y + height * 0.4, width, height: unit * 0.22 }, [240, 238, 230]);
};

const drawSign = (
  { canvas, unit }: Scene,
  { x, y, width }: { x: number; y: number; width: number },
  text: string,
): void => {
  fillBox(canvas, { x: x + unit * 2, y, width: width - unit * 4, height: unit * 2.5 }, [34, 42, 40]);
  drawText(canvas, text, [x + width / 2, y + unit * 1.95], {
    size: unit * 2.1,
    color: [236, 214, 150],
    align: "middle",
    maxWidth: width - unit * 5,
  });
};

const drawAwning = (
  { canvas, unit }: Scene,
  { x, y, width, kind }: { x: number; y: number; width: number; kind: number },
): void => {
  const color = (
    [
      [176, 44, 40],
      [34, 98, 84],
      [44, 72, 132],
    ] as const
  )[kind % 3]!;
  const stripe = unit * 0.9;
  for (let i = 0; (i + 1) * stripe < width - unit * 2; i++) {
    const left = x + unit + i * stripe;
    fillShape(
      canvas,
      [
        [
          [left, y],
          [left + stripe, y],
          [left + stripe - unit * 0.5, y + unit * 3],
          [left - unit * 0.5, y + unit * 3],
        ],
      ],
      i % 2 === 0 ? color : [244, 240, 228],
    );
  }
};

const drawTree = (scene: Scene, x: number, base: number): void => {
  const { canvas, unit, random } = scene;
  growBranch(scene, [x, base], { angle: -Math.PI / 2, length: unit * 8, thickness: unit * 1.5 });
  const leaves = Math.round(900);
  for (let i = 0; i < leaves; i++) {
    const [angle, far] = [random() * 2 * Math.PI, Math.sqrt(random())];
    const [dx, dy] = [Math.cos(angle) * far, Math.sin(angle) * far];
    const light = 0.55 + (1 - dy) * 0.3 + random() * 0.45 - (dx > 0 ? 0.12 : 0);
    fillDisk(
      canvas,
      [x + dx * unit * 8.5, base - unit * 19 + dy * unit * 9.5],
      unit * (0.18 + random() * 0.5),
      lit([72, 108, 44], light),
    );
  }
};

interface Branch {
  readonly angle: number;
  readonly length: number;
  readonly thickness: number;
}

const growBranch = (scene: Scene, [x, y]: readonly [number, number], { angle, length, thickness }: Branch): void => {
  const { canvas, unit, random } = scene;
  const end = [x + Math.cos(angle) * length, y + Math.sin(angle) * length] as const;
  strokeLine(canvas, [[x, y], end], Math.max(0.7, thickness), lit([74, 58, 44], 0.8 + random() * 0.4));
  if (length < unit * 1.6) return;
  for (const turn of [-0.5, 0.15, 0.55])
    growBranch(scene, end, {
      angle: angle + turn + (random() - 0.5) * 0.3,
      length: length * 0.66,
      thickness: thickness * 0.6,
    });
};
