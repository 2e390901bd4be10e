// Tests the status page in a real browser, with a running exporter that has been scraped once, and with the pages of
// fleets that `cargo test --lib pages_of_fleets -- --ignored` writes:
//
//   npm install --no-save playwright-core axe-core
//   node tests/browser/page.mjs http://127.0.0.1:10525/ FLEETS
//
// CHROMIUM names the browser; /usr/bin/chromium if it is not set. PICTURES names a folder for pictures of the fleets.
// Exits 1 and lists what is wrong.

import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const [address, fleets] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const problems = [];
const check = (holds, problem) => holds || problems.push(problem);

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
});

async function open(options, url = address) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.on('console', (message) => problems.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => problems.push(`script: ${error.message}`));
  page.on('request', (request) => check(request.isNavigationRequest(), `asks for ${request.url()}`));
  const answer = await page.goto(url);
  check(answer.ok(), `${url}: status ${answer.status()}`);
  return { context, page, answer };
}

// Checks the width, the colours and, with axe, contrast, names and structure; all that is folded is opened.
async function looksRight(url, name, widths) {
  for (const colorScheme of ['light', 'dark']) {
    for (const width of widths) {
      const { context, page } = await open({ colorScheme, viewport: { width, height: 1000 } }, url);
      const where = `${name}, ${colorScheme}, ${width} px`;
      if (process.env.PICTURES) {
        await page.screenshot({ path: `${process.env.PICTURES}/${name}-${colorScheme}-${width}.png` });
      }
      const found = await page.evaluate(() => {
        for (const details of document.querySelectorAll('details')) details.open = true;
        const { marginTop, backgroundColor } = getComputedStyle(document.body);
        return { wide: document.documentElement.scrollWidth, marginTop, backgroundColor };
      });
      check(found.wide <= width, `${where}: ${found.wide} px wide`);
      check(found.marginTop === '0px', `${where}: the policy keeps the style sheet out`);
      const dark = /\((\d|[1-5]\d),/.test(found.backgroundColor);
      check((colorScheme === 'dark') === dark, `${where}: the ground is ${found.backgroundColor}`);
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => axe.run({ resultTypes: ['violations'] }));
      for (const { id, nodes } of violations) problems.push(`${where}: ${id}: ${nodes[0].html} (${nodes.length})`);
      await context.close();
    }
  }
}

const rows = (page) => page.locator('tbody .name').count();

async function worksWithoutScripts() {
  const { context, page, answer } = await open({ javaScriptEnabled: false, viewport: { width: 1280, height: 900 } });
  const headers = answer.headers();
  check(headers['content-security-policy']?.startsWith("default-src 'none'"), 'no policy');
  check(headers['x-content-type-options'] === 'nosniff', 'no nosniff');
  check(headers['referrer-policy'] === 'no-referrer', 'no referrer policy');
  const all = await rows(page);
  if (all === 0) throw new Error('no cluster is shown: was it scraped?');

  const id = await page.locator('tbody .id').last().textContent();
  await page.getByLabel('Find').fill(id);
  await page.getByRole('button', { name: 'Show' }).click();
  check(await rows(page) === 1, `finding ${id} shows ${await rows(page)} rows`);
  check(await page.locator('details[open] dl').isVisible(), 'the details of the only cluster are closed');
  await page.getByRole('link', { name: 'Show all' }).click();
  check(await rows(page) === all, 'all are not shown again');

  await page.getByLabel('Sort by').selectOption('Name');
  await page.getByRole('button', { name: 'Show' }).click();
  const names = await page.locator('.name').allTextContents();
  check(names.join() === [...names].sort().join(), `not sorted: ${names}`);

  const tile = page.locator('.tile:not(.zero)').first();
  const count = Number((await tile.locator('.count').textContent()).replaceAll(',', ''));
  await tile.click();
  check(await rows(page) === count, `a tile of ${count} shows ${await rows(page)} rows`);

  await page.locator('.name').first().click();
  check(await rows(page) === 1, 'a name does not lead to its cluster');
  const console = await page.locator('.console').getAttribute('href');
  check(/^https:\/\/cs\.console\.aliyun\.com\/#\/k8s\/cluster\/\w+\/.*region=/.test(console), `the console is ${console}`);
  await page.getByRole('link', { name: '15 s' }).click();
  check(await page.locator('meta[http-equiv=refresh][content="15"]').count() === 1, 'does not reload');
  await context.close();
}

async function speaksTheLanguageOfTheBrowser() {
  const { context, page } = await open({ locale: 'zh-CN' });
  const language = () => page.locator('html').getAttribute('lang');
  check(await language() === 'zh-CN', `a Chinese browser gets ${await language()}`);
  await page.getByRole('link', { name: 'English' }).click();
  await page.locator('.tile').first().click();
  check(await language() === 'en', 'the chosen language is lost on the way');
  await context.close();
}

async function worksWithTheKeyboard() {
  const { context, page } = await open({ viewport: { width: 1280, height: 900 } }, `file://${fleets}/30-en.html`);
  const stops = [];
  for (let stop = null; stop !== 'BODY' && stops.length < 1000;) {
    await page.keyboard.press('Tab');
    const focused = await page.evaluate(() => {
      const { tagName, className } = document.activeElement;
      return { tagName, className, outline: getComputedStyle(document.activeElement).outlineStyle };
    });
    stop = focused.tagName;
    if (stop !== 'BODY') check(focused.outline !== 'none', `no outline on ${stop} ${focused.className}`);
    stops.push(`${stop}.${focused.className}`);
  }
  for (const expected of ['A.tile', 'INPUT.', 'SELECT.', 'BUTTON.', 'A.name', 'A.console', 'SUMMARY.']) {
    check(stops.some((stop) => stop.startsWith(expected)), `the keyboard does not reach ${expected}`);
  }
  await page.locator('details.fold:not([open]) summary').first().focus();
  const folded = await page.locator('details[open]').count();
  await page.keyboard.press('Enter');
  check(await page.locator('details[open]').count() === folded + 1, 'Enter does not unfold');
  await context.close();
}

try {
  await looksRight(address, 'demo', [320, 400, 1000, 1001, 1280, 1920]);
  await worksWithoutScripts();
  await speaksTheLanguageOfTheBrowser();
  await worksWithTheKeyboard();
  for (const file of readdirSync(fleets)) {
    // axe takes minutes for thousands of rows, and they are like the hundreds.
    if (!file.startsWith('3000')) await looksRight(`file://${fleets}/${file}`, file.replace('.html', ''), [400, 1280, 1920]);
  }
} catch (error) {
  problems.push(error.message);
}
await browser.close();

for (const problem of problems) console.error(problem);
console.log(problems.length === 0 ? 'the page is fine' : `${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);
