import { expect } from 'vitest';
import type { Answer } from './test-app.ts';

/** Every page: nothing loaded, nothing run, nobody frames it, its address told to nobody, not kept. */
export function expectPage(answer: Answer, status: number, ...texts: (string | RegExp)[]): void {
  expect(answer.status, answer.text).toBe(status);
  for (const text of texts) expect(answer.text).toMatch(text);
  expect(answer.text).not.toMatch(/\{\w+\}(?![^<]*<\/style>)|undefined|<script/);
  const { headers } = answer;
  expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(headers.get('content-security-policy')).toMatch(
    /^default-src 'none'; style-src 'sha256-[^']+'; form-action [^;]+; base-uri 'none'; frame-ancestors 'none'$/,
  );
  expect(headers.get('referrer-policy')).toBe('no-referrer');
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('cache-control')).toBe('no-store');
}
