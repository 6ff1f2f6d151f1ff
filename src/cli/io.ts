/** Where a command's words go. */
export interface Io {
  /** Results: what another program may read. */
  out(text: string): void;
  /** Everything said to a person. */
  err(text: string): void;
  /** Whether `err` goes to a terminal, so that a line can be rewritten. */
  readonly isTerminal: boolean;
  /** Width for help. */
  readonly columns?: number;
  /** Aborted by Ctrl-C. */
  readonly signal?: AbortSignal;
}

/** A line on a terminal that is rewritten in place; nothing elsewhere. */
export interface StatusLine {
  show(text: string): void;
  /** Removes the line. */
  clear(): void;
  /** A line that stays, above the status. */
  say(text: string): void;
}

export function statusLine(
  { err, isTerminal, columns = 100 }: Io,
  now: () => number = () => performance.now(),
): StatusLine {
  let [last, isShown] = [-Infinity, false];
  const clear = (): void => {
    if (isShown) err("\r\x1b[K");
    isShown = false;
  };
  return {
    show(text) {
      if (!isTerminal || now() - last < 100) return;
      last = now();
      err(`\r\x1b[K${text.slice(0, columns - 1)}`);
      isShown = true;
    },
    clear,
    say(text) {
      clear();
      err(`${text}\n`);
    },
  };
}

/** "8 s", "3 min 20 s", "2 h 5 min". */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** The one JSON document of --json. */
export const printJson = ({ out }: Io, value: unknown): void => out(`${JSON.stringify(value, null, 2)}\n`);
