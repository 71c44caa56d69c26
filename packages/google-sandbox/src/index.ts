export type { EventResource } from './calendar/event-record.ts';
export type { AccessRole, AccountSeed, CalendarSeed, ClientSeed } from './directory.ts';
export type { Fault, FaultHandle, FaultRule } from './faults.ts';
export type { MailMessage } from './mail/message.ts';
export type { LoggedRequest } from './request-log.ts';
export { startSandbox } from './sandbox.ts';
export type { Sandbox, SandboxOptions } from './sandbox-api.ts';
export type { Switches } from './switches.ts';
