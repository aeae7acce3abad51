import { defineConfig } from "rolldown";

export default defineConfig({
  input: "src/index.ts",
  // Served by DevRig in the worker.
  external: ["@devrig/sdk"],
  platform: "neutral",
  logLevel: "warn",
  output: { file: "dist/index.js", format: "esm", sourcemap: "inline" },
});
