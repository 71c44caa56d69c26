import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { SWITCHES } from '../src/switches.ts';

const README = fileURLToPath(new URL('../README.md', import.meta.url));
const BEGIN = '<!-- switches -->\n';
const END = '<!-- /switches -->';

function switchTable(): string {
  const rows = Object.entries(SWITCHES).map(([name, row]) => {
    const values = 'choices' in row && row.choices ? row.choices.join(' \\| ') : typeof row.default;
    return `| \`${name}\` | ${String(row.default)} | ${values} | ${row.about} |`;
  });
  return ['| switch | default | values | about |', '|---|---|---|---|', ...rows, ''].join('\n');
}

/** The cells of a Markdown table, whatever its padding. */
function cellsOf(table: string): string[][] {
  return table
    .trim()
    .split('\n')
    .filter((row) => !/^[|\s-]+$/.test(row))
    .map((row) => row.split(/(?<!\\)\|/).map((cell) => cell.trim()));
}

test('the README lists every switch as the code has it', () => {
  const readme = readFileSync(README, 'utf8');
  const begin = readme.indexOf(BEGIN) + BEGIN.length;
  const end = readme.indexOf(END);
  // CALHOOK_UPDATE=1 writes the table instead of checking it.
  if (process.env.CALHOOK_UPDATE) {
    writeFileSync(README, readme.slice(0, begin) + switchTable() + readme.slice(end));
    return;
  }
  expect(cellsOf(readme.slice(begin, end))).toEqual(cellsOf(switchTable()));
});
