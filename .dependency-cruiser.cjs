/**
 * The house rules of ARCHITECTURE.md as import rules: arrows point down only, a room is entered
 * through its own files, and the three guarded rooms (google, vault, store) stay guarded.
 */
const server = '^apps/server/src/';

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-unresolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'packages-know-no-apps',
      severity: 'error',
      from: { path: '^packages/' },
      to: { path: '^(apps|bench|e2e)/' },
    },
    {
      name: 'contract-stands-alone',
      severity: 'error',
      from: { path: '^packages/contract/' },
      to: { path: '^(packages/(?!contract/)|apps/)' },
    },
    {
      name: 'product-code-imports-no-test-code',
      severity: 'error',
      from: { pathNot: '(\\.test\\.ts$|/test/|^e2e/|^bench/|^vitest\\.config)' },
      to: { path: '(\\.test\\.ts$|/test/|^e2e/|^bench/)' },
    },
    {
      // The server reaches the stand-in by its endpoint overrides alone; only the demo starts one.
      name: 'sandbox-only-in-demo-and-tests',
      severity: 'error',
      from: { path: `${server}(?!demo/)`, pathNot: '\\.test\\.ts$' },
      to: { path: '^packages/google-sandbox/' },
    },
    {
      name: 'only-google-room-speaks-http-out',
      severity: 'error',
      from: { path: `${server}(?!google/|demo/)`, pathNot: '\\.test\\.ts$' },
      to: { path: 'node_modules/(undici|openid-client|@googleapis)/' },
    },
    {
      name: 'only-vault-touches-ciphers',
      severity: 'error',
      from: { path: `${server}(?!vault/)`, pathNot: '\\.test\\.ts$' },
      to: { path: `${server}vault/(?!index\\.ts|rotation\\.ts)` },
    },
    {
      name: 'only-stores-touch-tables',
      severity: 'error',
      from: { path: `${server}(?!db/).*(?<!store)\\.ts$`, pathNot: '\\.test\\.ts$' },
      to: { path: '(^node_modules/(kysely|pg)/|^node:sqlite$|^sqlite$)' },
    },
    {
      name: 'a-room-keeps-its-store',
      severity: 'error',
      from: { path: `${server}([^/]+)/`, pathNot: '\\.test\\.ts$' },
      to: { path: `${server}[^/]+/[^/]*store\\.ts$`, pathNot: `${server}$1/[^/]*store\\.ts$` },
    },
    {
      name: 'lower-rooms-know-no-upper-rooms',
      severity: 'error',
      from: {
        path: `${server}(vault|db|google|activity|availability|jobs)/`,
        pathNot: '\\.test\\.ts$',
      },
      to: { path: `${server}(http|keys|bots|connections|doctor|sync|appointments|mcp|demo)/` },
    },
    {
      name: 'the-mirror-knows-no-rooms-above',
      severity: 'error',
      from: { path: `${server}(connections|sync)/`, pathNot: '\\.test\\.ts$' },
      to: { path: `${server}(appointments|demo)/` },
    },
    {
      name: 'connections-know-no-mirror',
      severity: 'error',
      from: { path: `${server}connections/`, pathNot: '\\.test\\.ts$' },
      to: { path: `${server}sync/` },
    },
    {
      // The SDK is loaded with the first call of an agent, and by nothing else.
      name: 'only-the-mcp-server-knows-its-sdk',
      severity: 'error',
      from: { path: server, pathNot: `${server}mcp/server\\.ts$` },
      to: { path: 'node_modules/@modelcontextprotocol/' },
    },
    {
      name: 'tools-are-a-way-in',
      severity: 'error',
      from: { path: `${server}[^/]+/`, pathNot: `(\\.test\\.ts$|${server}mcp/)` },
      to: { path: `${server}mcp/` },
    },
    {
      name: 'rooms-know-nothing-of-the-wiring',
      severity: 'error',
      from: { path: `${server}[^/]+/`, pathNot: `(\\.test\\.ts$|${server}demo/)` },
      to: { path: `${server}(app|main|cli)\\.ts$` },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // The community package has its own tools, and n8n's linter says what it may import.
    exclude: { path: '(^|/)node_modules/\\.|^packages/[^/]+/dist/|^packages/n8n-nodes-calhook/' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'types'],
    },
  },
};
