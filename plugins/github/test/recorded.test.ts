import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { expect, test } from "vitest";
import { Errors, missingScopes } from "../src/errors.ts";
import { hostOf } from "./rig.ts";

// Exchanges with the real service, recorded by the package @octokit/fixtures (MIT), for what they
// hold of what the plugin does: an issue with labels, a refused field, a moved repository.

interface Exchange {
  method: string;
  path: string;
  body: unknown;
  status: number;
  response: unknown;
  headers: Record<string, string | number>;
}

const require = createRequire(import.meta.url);
function recorded(scenario: string): Exchange[] {
  const file = require.resolve(`@octokit/fixtures/scenarios/api.github.com/${scenario}/normalized-fixture.json`);
  return JSON.parse(readFileSync(file, "utf8")) as Exchange[];
}

/** Answers the recorded exchanges in their order, and nothing else. */
function replay(exchanges: Exchange[]) {
  const left = [...exchanges];
  const send = async (request: Request) => {
    const next = left.shift();
    const asked = { method: request.method.toLowerCase(), path: new URL(request.url).pathname, body: JSON.parse((await request.text()) || '""') };
    expect(asked).toMatchObject({ method: next?.method, path: next?.path, body: next?.body });
    return new Response(JSON.stringify(next!.response), { status: next!.status, headers: next!.headers as Record<string, string> });
  };
  return { left, send };
}

test("an issue is made and labelled as the service recorded it", async () => {
  const repository = "octokit-fixture-org/add-labels-to-issue";
  const { left, send } = replay(recorded("add-labels-to-issue"));
  const host = await hostOf({}, send);
  const made = await host.action("github.create_issue", { repository, title: "Issue without a label" });
  expect(made).toMatchObject({ success: true, output: { number: 1, url: `https://github.com/${repository}/issues/1` } });
  const item = { externalId: `${repository}#1`, type: "issue", labels: [], metadata: { owner: "octokit-fixture-org", name: "add-labels-to-issue", number: 1 } };
  const labelled = await host.action("github.add_labels", { labels: ["Foo", "bAr", "baZ"] }, { item: item as never });
  expect(labelled.itemUpdate?.labels).toEqual(["Foo", "bAr", "baZ"]);
  expect(left).toEqual([]);
});

const words = new Errors({ DevRigError: Error as never }, "https://github.com");
const answerOf = ({ status, headers, response }: Exchange) => ({ status, headers: new Headers(headers as Record<string, string>), body: response });

test("a refused field is named", () => {
  expect(words.fromAnswer("Making a label", answerOf(recorded("errors")[0]!)).message).toBe("Making a label: Validation Failed; color invalid");
});

test("a move that is not followed is told; no recorded answer is taken for a missing right", () => {
  const exchanges = recorded("rename-repository");
  const moved = exchanges.find(({ status }) => status === 301)!;
  expect(words.fromAnswer("Reading it", answerOf(moved)).message).toContain("points elsewhere");
  for (const exchange of exchanges) expect(missingScopes(new Headers(exchange.headers as Record<string, string>))).toEqual([]);
});
