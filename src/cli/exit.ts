/** Exit codes: 0 done, 1 a fault of ours, 2 input that is wrong, 3 some of several files failed, 130 interrupted. */
export const exit = { done: 0, fault: 1, input: 2, partial: 3, interrupted: 130 } as const;
