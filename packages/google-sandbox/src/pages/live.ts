import type { ServerResponse } from 'node:http';
import type { StreamReply } from '../http/reply.ts';

/** Tells open pages that something changed, over server-sent events. */
export type LivePages = {
  stream(): StreamReply;
  changed(): void;
  close(): void;
};

export function createLivePages(): LivePages {
  const open = new Set<ServerResponse>();
  return {
    stream: () => ({
      status: 200,
      stream(response) {
        response.writeHead(200, {
          'content-type': 'text/event-stream',
          'cache-control': 'no-store',
        });
        response.write('retry: 1000\n\n');
        open.add(response);
        response.once('close', () => open.delete(response));
      },
    }),
    changed() {
      for (const response of open) response.write('data: changed\n\n');
    },
    close() {
      for (const response of open) response.destroy();
      open.clear();
    },
  };
}

/** Swaps the page's `#live` part when something changed; without scripts a reload does the same. */
export const LIVE_SCRIPT = `<script>
let waiting = false;
new EventSource('/sandbox/live').onmessage = () => {
  if (waiting) return;
  waiting = true;
  setTimeout(async () => {
    waiting = false;
    const text = await (await fetch(location.href)).text();
    const fresh = new DOMParser().parseFromString(text, 'text/html').getElementById('live');
    const old = document.getElementById('live');
    const scrolled = old.querySelector('.scroll')?.scrollTop ?? 0;
    for (const open of old.querySelectorAll('details[open]')) {
      fresh.querySelector('#' + open.id)?.setAttribute('open', '');
    }
    old.replaceWith(fresh);
    fresh.querySelector('.scroll')?.scrollTo(0, scrolled);
  }, 50);
};
</script>`;
