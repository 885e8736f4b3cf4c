import tailwindcss from '@tailwindcss/vite';
import { defineConfig } from 'vite';

export default defineConfig({
  base: '/static/',
  plugins: [tailwindcss()],
  build: {
    outDir: 'dist',
    manifest: 'manifest.json',
    // A running server still refers to the files of the build it started with; build.py prunes them a day later.
    emptyOutDir: false,
    // The content security policy forbids fonts from data: URLs.
    assetsInlineLimit: 0,
    target: 'es2022',
    rollupOptions: { input: ['src/app.js', 'src/charts.js'] },
  },
});
