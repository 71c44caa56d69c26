/**
 * How often a repeated test repeats: the full number with CALHOOK_LONG set, as the issue names it,
 * and a share of it in the everyday run.
 */
export function runSize(full: number, everyday: number): number {
  return process.env.CALHOOK_LONG ? full : everyday;
}
