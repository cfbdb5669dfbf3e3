/**
 * Speaks to screen readers: the newest sentence only, and never more than one in five seconds.
 */
import { byId } from "./dom.js";

const EVERY_MS = 5000;

let said = 0;
let waiting: string | null = null;

/** Says a sentence, at once or when five seconds have passed since the last. */
export function announce(sentence: string): void {
  if (waiting !== null) {
    waiting = sentence;
    return;
  }
  const rest = said + EVERY_MS - performance.now();
  if (said === 0 || rest <= 0) {
    speak(sentence);
    return;
  }
  waiting = sentence;
  setTimeout(() => {
    if (waiting !== null) speak(waiting);
    waiting = null;
  }, rest);
}

function speak(sentence: string): void {
  said = performance.now();
  byId("live", HTMLElement).textContent = sentence;
}
