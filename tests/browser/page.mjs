// Tests the status page in a real browser, with a running exporter that has been scraped once:
//
//   npm install --no-save playwright-core
//   node tests/browser/page.mjs http://127.0.0.1:10525/
//
// CHROMIUM names the browser; /usr/bin/chromium if it is not set. Exits 1 and lists what is wrong.

import { chromium } from 'playwright-core';

const address = process.argv[2] ?? 'http://127.0.0.1:10525/';
const problems = [];
const check = (holds, problem) => holds || problems.push(problem);

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
});

async function open(options, query = '') {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.on('console', (message) => problems.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => problems.push(`script: ${error.message}`));
  page.on('request', (request) => check(request.isNavigationRequest(), `asks for ${request.url()}`));
  const answer = await page.goto(address + query);
  check(answer.status() === 200, `status ${answer.status()}`);
  return { context, page, answer };
}

const rows = (page) => page.locator('tbody th[scope=row]').count();

async function looksRight() {
  for (const colorScheme of ['light', 'dark']) {
    for (const width of [320, 400, 1080, 1081, 1280]) {
      const { context, page } = await open({ colorScheme, viewport: { width, height: 900 } });
      const found = await page.evaluate(() => ({
        wide: document.documentElement.scrollWidth,
        styled: getComputedStyle(document.body).marginTop === '0px',
        ground: getComputedStyle(document.body).backgroundColor,
        named: [...document.querySelectorAll('a, button, input, select, summary')].every((element) =>
          element.textContent.trim() || element.labels?.length),
      }));
      check(found.wide <= width, `${colorScheme}, ${width} px: ${found.wide} px wide`);
      check(found.styled, `${colorScheme}, ${width} px: the policy keeps the style sheet out`);
      check(found.named, `${colorScheme}, ${width} px: a control without a name`);
      check((colorScheme === 'dark') === /\((\d|[1-5]\d),/.test(found.ground), `${colorScheme}: the ground is ${found.ground}`);
      await context.close();
    }
  }
}

async function worksWithoutScripts() {
  const { context, page, answer } = await open({ javaScriptEnabled: false, viewport: { width: 1280, height: 900 } });
  const headers = answer.headers();
  check(headers['content-security-policy']?.startsWith("default-src 'none'"), 'no policy');
  check(headers['x-content-type-options'] === 'nosniff', 'no nosniff');
  check(headers['referrer-policy'] === 'no-referrer', 'no referrer policy');
  const all = await rows(page);
  if (all === 0) throw new Error('no cluster is shown: was it scraped?');

  const id = await page.locator('tbody th[scope=row] .id').last().textContent();
  await page.getByLabel('Find').fill(id);
  await page.getByRole('button', { name: 'Show' }).click();
  check(await rows(page) === 1, `finding ${id} shows ${await rows(page)} rows`);
  await page.getByRole('link', { name: 'Show all' }).click();
  check(await rows(page) === all, 'all are not shown again');

  await page.locator('thead').getByRole('link', { name: 'Cluster' }).click();
  check(await page.locator('th[aria-sort=ascending]').textContent().then((text) => text.startsWith('Cluster')), 'not sorted');
  const ascending = await page.locator('.name').allTextContents();
  await page.locator('thead').getByRole('link', { name: 'Cluster' }).click();
  const descending = await page.locator('.name').allTextContents();
  check(ascending.join() === descending.reverse().join(), 'the other way round is another order');

  const tile = page.locator('.tile:not(.zero)').first();
  const count = Number((await tile.locator('.count').textContent()).replaceAll(',', ''));
  await tile.click();
  check(await rows(page) === Math.min(count, 500), `a tile of ${count} shows ${await rows(page)} rows`);

  await page.locator('summary').first().click();
  check(await page.locator('details[open] dl').first().isVisible(), 'details do not open');
  await page.getByRole('link', { name: '15 s' }).click();
  check(await page.locator('meta[http-equiv=refresh][content="15"]').count() === 1, 'does not reload');
  await context.close();
}

try {
  await looksRight();
  await worksWithoutScripts();
} catch (error) {
  problems.push(error.message);
}
await browser.close();

for (const problem of problems) console.error(problem);
console.log(problems.length === 0 ? 'the page is fine' : `${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);
