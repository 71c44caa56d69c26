#!/usr/bin/env node
// JavaScript, and nothing but this, because it runs before the compile cache is on: a TypeScript
// file here would load the type stripper at every start, for 15 MB. From the second start
// on no types are stripped and no code is compiled again.
import { enableCompileCache } from 'node:module';

enableCompileCache();
const { run } = await import('../src/cli.ts');
await run(process.argv.slice(2));
