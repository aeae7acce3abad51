import type { ConnectionResult } from "@devrig/sdk";
import type { Client } from "./client.ts";

interface User {
  login: string;
  name: string | null;
}

/** Rights, with what does not work without them. Any one of a row is enough. */
const WANTED: [string[], string][] = [
  [["notifications", "repo"], "notifications cannot be read"],
  [["repo", "public_repo"], "pull requests and issues cannot be changed, and private ones not be seen"],
  [["read:org", "write:org", "admin:org"], "reviews that are asked of your teams are not seen"],
];

/** Asks GitHub whose the token is, and what it may do. */
export async function checkConnection(client: Client): Promise<ConnectionResult> {
  const { data, headers } = await client.rest<User>("/user", { doing: "Checking the token" });
  const scopes = headers.get("x-oauth-scopes");
  const warnings: string[] = [];
  if (scopes === null || scopes.trim() === "") {
    warnings.push("This is a fine-grained token, or one without rights: GitHub does not say what it may do, and gives notifications to classic tokens only.");
  } else {
    const has = new Set(scopes.split(",").map((scope) => scope.trim()));
    for (const [any, without] of WANTED) {
      if (!any.some((scope) => has.has(scope))) warnings.push(`The token lacks the right ${any[0]}: ${without}.`);
    }
  }
  const ends = headers.get("github-authentication-token-expiration");
  const detail = [data.name, ends ? `until ${ends.slice(0, 10)}` : null].filter(Boolean).join(", ");
  return { identity: data.login, ...(detail ? { detail } : {}), warnings };
}
