import { userError } from "../errors.ts";
import type { Evaluation, MeanScore, PictureScore } from "../tasks/upscale/judge.ts";

export type Row = readonly (string | number)[];

const db = (value: number): string => (Number.isFinite(value) ? value.toFixed(2) : "∞");

/** JSON has no Infinity: the PSNR of equal pictures is null. */
export const evaluationJson = ({ means, pictures }: Evaluation): object => {
  const finite = <T extends { readonly psnr: number }>(one: T) => ({
    ...one,
    psnr: Number.isFinite(one.psnr) ? one.psnr : null,
  });
  return { means: means.map(finite), pictures: pictures.map(finite) };
};

const csvField = (value: string | number): string =>
  /[",\n]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : String(value);

/** Lines of fields with commas between. */
export const csvText = (rows: readonly Row[]): string =>
  `${rows.map((row) => row.map(csvField).join(",")).join("\n")}\n`;

/** All pictures and, with "mean" for a name, the means. */
function csv({ means, pictures }: Evaluation): string {
  const line = (one: MeanScore | PictureScore, picture: string): Row => [
    one.method,
    one.scale,
    picture,
    one.psnr,
    one.ssim,
  ];
  return csvText([
    ["method", "scale", "picture", "psnr", "ssim"],
    ...pictures.map((one) => line(one, one.picture)),
    ...means.map((one) => line(one, "mean")),
  ]);
}

const meanRows = (means: readonly MeanScore[]): readonly Row[] =>
  means.map(({ method, scale, psnr, ssim, pictures }) => [method, `×${scale}`, db(psnr), ssim.toFixed(4), pictures]);

const pictureRows = (pictures: readonly PictureScore[]): readonly Row[] =>
  pictures.map(({ method, scale, picture, psnr, ssim }) => [picture, method, `×${scale}`, db(psnr), ssim.toFixed(4)]);

export const markdownTable = (head: Row, rows: readonly Row[]): string =>
  [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");

const meanHead = ["method", "scale", "PSNR (dB)", "SSIM", "pictures"] as const;

const markdown = ({ means, pictures }: Evaluation): string =>
  `${markdownTable(meanHead, meanRows(means))}\n\n${markdownTable(["picture", "method", "scale", "PSNR (dB)", "SSIM"], pictureRows(pictures))}\n`;

/** A table for the terminal: columns aligned, numbers to the right. */
export function alignedTable(head: Row, rows: readonly Row[]): string {
  const all = [head, ...rows].map((row) => row.map(String));
  const widths = head.map((_, column) => Math.max(...all.map((row) => [...row[column]!].length)));
  const isNumeric = head.map((_, column) => rows.every((row) => /^[×\d.∞–-]+$/.test(String(row[column]))));
  const pad = (text: string, column: number): string => {
    const space = " ".repeat(widths[column]! - [...text].length);
    return isNumeric[column] ? space + text : text + space;
  };
  return all.map((row) => row.map(pad).join("  ").trimEnd()).join("\n");
}

/** The means as a table for the terminal. */
export const evaluationTable = ({ means }: Evaluation): string => alignedTable(meanHead, meanRows(means));

/** A report in each kind of file. */
export type Writers<T> = Readonly<Record<string, (report: T) => string>>;

const writers: Writers<Evaluation> = {
  csv,
  md: markdown,
  json: (evaluation) => `${JSON.stringify(evaluationJson(evaluation), null, 2)}\n`,
};

/**
 * The writer of a report, by the ending of its file's name.
 * @throws UserError for another ending
 */
export function writerFor<T>(path: string, kinds: Writers<T>): (report: T) => string {
  const writer = kinds[/\.(\w+)$/.exec(path)?.[1]?.toLowerCase() ?? ""];
  if (!writer) throw userError(path, "expected a report's name ending in .csv, .md or .json, got another");
  return writer;
}

export const reportWriter = (path: string): ((evaluation: Evaluation) => string) => writerFor(path, writers);
