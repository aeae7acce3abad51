import { defineConfig } from "vitest/config";

export default defineConfig({
  // The SDK as it is written, so that tests need no build of it.
  ssr: { resolve: { conditions: ["source", "module", "node"], externalConditions: ["source"] } },
  resolve: { conditions: ["source"] },
  test: { include: ["test/**/*.test.ts"], server: { deps: { inline: ["@devrig/sdk"] } } },
});
