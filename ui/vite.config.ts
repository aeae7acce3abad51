import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

export default defineConfig(({ mode }) => ({
  plugins: [react(), tailwindcss()],
  // `vite build --mode fake` answers from made-up items; it serves screenshots and the accessibility run.
  define: { __FAKE__: JSON.stringify(mode !== 'production') },
  server: { host: '127.0.0.1', port: 5173, strictPort: true },
  clearScreen: false,
  build: {
    outDir: mode === 'fake' ? 'node_modules/.fake-dist' : 'dist',
    emptyOutDir: true,
    target: ['es2022', 'safari16'],
    // The CSP forbids inline scripts, and the polyfill is one.
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    manifest: true,
  },
  test: {
    environment: 'happy-dom',
    include: ['src/**/*.test.{ts,tsx}'],
    setupFiles: ['src/test-setup.ts'],
    css: false,
    testTimeout: 30_000,
  },
}));
