export interface Block {
  language: string;
  file?: string;
  append?: string;
  text: string;
}
export function fences(page: string): Block[];
export function writeBlock(folder: string, block: Block): boolean;
