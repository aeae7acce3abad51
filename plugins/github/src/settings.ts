/** What the person chose for an account. */
export interface Settings {
  /** Of the REST interface, without a slash at the end. */
  baseUrl: string;
  graphqlUrl: string;
  webUrl: string;
  /** Lower-case `owner` or `owner/name`. */
  leaveOut: Set<string>;
  backfillDays: number;
}

export function readSettings(settings: Readonly<Record<string, unknown>>): Settings {
  const text = (name: string, otherwise: string) => {
    const value = settings[name];
    return (typeof value === "string" && value !== "" ? value : otherwise).replace(/\/+$/, "");
  };
  const baseUrl = text("baseUrl", "https://api.github.com");
  const leftOut = Array.isArray(settings.leaveOut) ? settings.leaveOut : [];
  return {
    baseUrl,
    // Enterprise Server has REST below /api/v3 and GraphQL beside it.
    graphqlUrl: baseUrl.endsWith("/api/v3") ? baseUrl.replace(/\/v3$/, "/graphql") : `${baseUrl}/graphql`,
    webUrl: text("webUrl", "https://github.com"),
    leaveOut: new Set(leftOut.map((name) => String(name).toLowerCase())),
    backfillDays: typeof settings.backfillDays === "number" ? settings.backfillDays : 30,
  };
}

export function isLeftOut(settings: Settings, repo: string): boolean {
  const name = repo.toLowerCase();
  return settings.leaveOut.has(name) || settings.leaveOut.has(name.split("/")[0] ?? "");
}
