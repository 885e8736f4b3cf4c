import tailwindcss from '@tailwindcss/vite';
import { defineConfig } from 'vite';

export default defineConfig({
  base: '/static/',
  plugins: [tailwindcss()],
  build: {
    outDir: 'dist',
    manifest: 'manifest.json',
    emptyOutDir: true,
    // The content security policy forbids fonts from data: URLs.
    assetsInlineLimit: 0,
    target: 'es2022',
    rollupOptions: { input: ['src/app.js', 'src/charts.js'] },
  },
});
