export { buildCommunityPackage, type CommunityPackage } from './community-package.ts';
export { installN8n, type N8nInstallation } from './installation.ts';
export {
  type N8nCredential,
  type N8nOptions,
  type N8nWorkflow,
  type RunningN8n,
  startN8n,
} from './running-n8n.ts';
export { withSettings } from './settings.ts';
