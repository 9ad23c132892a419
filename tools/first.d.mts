/** What tests read of first.mjs, which is plain JavaScript. */
export function decide(folder: string): { install: boolean; why: string; hash: string }
export function wrongNode(folder: string, platform?: string): string | undefined
