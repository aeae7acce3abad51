export interface Settings {
  folders: string[];
  depth: number;
  staleAfterHours: number;
  includeUntracked: boolean;
}

/** The account's settings, with the defaults of the manifest where nothing is set. */
export function readSettings(given: Readonly<Record<string, unknown>>): Settings {
  return {
    folders: Array.isArray(given.folders) ? given.folders.filter((folder) => typeof folder === "string") : [],
    depth: number(given.depth, 4),
    staleAfterHours: number(given.staleAfterHours, 24),
    includeUntracked: given.includeUntracked !== false,
  };
}

function number(value: unknown, otherwise: number): number {
  return typeof value === "number" ? value : otherwise;
}
