declare module "devrig-github-fake" {
  export interface Fake {
    url: string;
    // The fake is plain JavaScript; its README describes the world.
    // oxlint-disable-next-line no-explicit-any
    world: any;
    faults: { add(fault: Record<string, unknown>): void; clear(): void };
    log: { method: string; path: string; status: number; authorised: boolean; conditional: boolean }[];
    close(): Promise<void>;
  }
  export function startFake(options?: { world?: unknown; port?: number }): Promise<Fake>;
}

declare module "devrig-github-fake/judged" {
  import type { Fake } from "devrig-github-fake";
  /** As `startFake`, behind a judge of every REST exchange; what broke the contract is in `violations`. */
  export function startJudged(): Promise<Fake & { violations: string[] }>;
}
