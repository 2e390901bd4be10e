// Pictures of the page, light and dark, wide and narrow:
//
//   node tests/browser/pictures.mjs http://127.0.0.1:10525/ FOLDER NAME

import { chromium } from 'playwright-core';

const [address, folder, name] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
});
for (const colorScheme of ['light', 'dark']) {
  for (const width of [1280, 400]) {
    const context = await browser.newContext({ colorScheme, viewport: { width, height: 900 }, deviceScaleFactor: 1 });
    const page = await context.newPage();
    await page.goto(address);
    await page.screenshot({ path: `${folder}/${name}-${colorScheme}-${width}.png` });
    await context.close();
  }
}
await browser.close();
