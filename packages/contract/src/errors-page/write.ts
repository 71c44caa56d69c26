import { writeFileSync } from 'node:fs';
import { errorsPage } from './page.ts';

// `npm run docs:errors`
writeFileSync(new URL('../../../../docs/errors.md', import.meta.url), errorsPage());
