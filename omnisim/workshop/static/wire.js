// Talking to the program: messages that say why they were refused, a stream that comes back.
import { speak, t } from "./words.js";

export class Refusal extends Error {
  constructor(why, details, status) {
    super(why);
    Object.assign(this, { why, details, status });
  }

  get text() {
    const key = `refused.${this.why}`;
    return t(key, this.details);
  }
}

export async function send(address, message) {
  const asked = message === undefined ? {} : {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(message),
  };
  const answer = await fetch(address, { credentials: "same-origin", ...asked });
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refusal(body.refused ?? "unknown", body, answer.status);
  return body;
}

export async function learn(language) {
  speak(language, await send(`/texts/${language}.json`));
  document.cookie = `omnisim_language=${language}; path=/; max-age=31536000; samesite=lax`;
}

// Opens a stream and opens it again, sooner if the page is looked at, until it is closed.
export function listen(address, on) {
  let source = null;
  let wait = 300;
  let timer = 0;
  let closed = false;

  function open() {
    clearTimeout(timer);
    source?.close();
    if (closed) return;
    source = new EventSource(address);
    source.addEventListener("state", (event) => {
      wait = 300;
      on.state(JSON.parse(event.data));
    });
    source.addEventListener("gone", () => { close(); on.gone(); });
    source.addEventListener("elsewhere", () => { close(); on.elsewhere(); });
    source.onerror = () => {
      source.close();
      on.lost();
      clearTimeout(timer);
      timer = setTimeout(open, wait);
      wait = Math.min(wait * 1.7, 4000);
    };
  }

  function close() {
    closed = true;
    clearTimeout(timer);
    source?.close();
  }

  const again = () => { if (!closed && source?.readyState !== EventSource.OPEN) open(); };
  document.addEventListener("visibilitychange", () => { if (!document.hidden) again(); });
  window.addEventListener("online", again);
  window.addEventListener("offline", () => { if (!closed) on.lost(); });
  open();
  return { close, again };
}
