import type { GitCommit } from "@devrig/sdk";

/** `1 commit`, `3 commits`, `3+ commits`. */
export function count(number: number, noun: string, more = false): string {
  return `${number}${more ? "+" : ""} ${noun}${number === 1 && !more ? "" : "s"}`;
}

/** Text that Markdown shows as it is. */
export function plain(text: string): string {
  return text.replace(/[\\`*_{}[\]<>#|~!]/g, "\\$&");
}

/** Code, whatever backticks and line ends are in it. */
export function code(given: string): string {
  const text = given.replace(/\p{Cc}/gu, " ");
  const runs = text.match(/`+/g) ?? [];
  const fence = "`".repeat(Math.max(0, ...runs.map((run) => run.length)) + 1);
  const pad = text.startsWith("`") || text.endsWith("`") ? " " : "";
  return `${fence}${pad}${text}${pad}${fence}`;
}

/** Commands to copy, run in the repository. */
export function commands(path: string, ...lines: string[]): string {
  return ["```sh", `cd ${word(path)}`, ...lines, "```"].join("\n");
}

/** One word of a shell, quoted only where it has to be. */
export function word(text: string): string {
  if (/\p{Cc}/u.test(text)) {
    // A line end would leave the block of code that this stands in.
    const escaped = text.replace(/[\\']/g, "\\$&").replace(/\p{Cc}/gu, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
    return `$'${escaped}'`;
  }
  return /^[\w@%+=:,./-]+$/.test(text) && !text.startsWith("-") ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

export function commits(list: GitCommit[], all: number): string {
  const rows = list.map((commit) => `- ${code(commit.id.slice(0, 7))} ${plain(commit.subject)} (${plain(commit.author)})`);
  if (all > list.length) rows.push(`- and ${all - list.length} more`);
  return rows.join("\n");
}

/** The parts that there are, as paragraphs. */
export function paragraphs(...parts: (string | false | undefined)[]): string {
  return parts.filter((part) => typeof part === "string" && part !== "").join("\n\n");
}
