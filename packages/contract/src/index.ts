export * from './appointments.ts';
export * from './bots.ts';
export * from './common.ts';
export * from './connections.ts';
export * from './errors.ts';
export * from './keys.ts';
export * from './problem.ts';
