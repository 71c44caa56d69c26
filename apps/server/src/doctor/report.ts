import type { Finding, Mark } from './finding.ts';

const plurals: readonly [Mark, string, string][] = [
  ['ok', 'ok', 'ok'],
  ['warning', 'warning', 'warnings'],
  ['fault', 'fault', 'faults'],
];

export function hasFault(findings: readonly Finding[]): boolean {
  return findings.some(({ mark }) => mark === 'fault');
}

function tally(findings: readonly Finding[]): string {
  return plurals
    .map(([mark, one, many]) => {
      const count = findings.filter((finding) => finding.mark === mark).length;
      return `${count} ${count === 1 ? one : many}`;
    })
    .join(', ');
}

/** A line per finding, what to do below it, and how many there are of each. */
export function reportText(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const lines = findings.flatMap(({ check, mark, message, remedy }) => [
    `${mark.padEnd(8)} ${check.padEnd(width)}  ${message}`,
    ...(remedy === undefined ? [] : [`${' '.repeat(width + 11)}-> ${remedy}`]),
  ]);
  return [...lines, '', tally(findings)].join('\n');
}

/** The same for programs. */
export function reportJson(findings: readonly Finding[]): string {
  return JSON.stringify({ ok: !hasFault(findings), findings }, null, 2);
}
