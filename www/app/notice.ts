/**
 * Shows notices at the top of the page, and says what this browser lacks, what still works without
 * it, and the next step.
 */
import { byId, make, makeButton } from "./dom.js";

/** Shows a notice at the top of the page until it is dismissed; the same one only once. */
export function notice(text: string, urgent: boolean): void {
  const place = byId("notices", HTMLElement);
  const shown = [...place.querySelectorAll("p")].some((each) => each.textContent === text);
  if (shown) return;
  const box = make("div", { class: "notice", role: urgent ? "alert" : "note" });
  const dismiss = makeButton("Dismiss", { class: "plain" }, () => box.remove());
  box.append(make("p", {}, text), dismiss);
  place.append(box);
  // Who pressed something further down would not see it.
  if (urgent) box.scrollIntoView({ block: "nearest" });
}

/** Says what this browser lacks; `canStream` when files have addresses here. */
export async function noticeLacks(canStream: boolean): Promise<void> {
  if (typeof RTCPeerConnection === "undefined") {
    notice("This browser cannot make peer connections (WebRTC), so nothing can be fetched or " +
      "shared here. What is stored already still plays. Allow WebRTC, or open this page in " +
      "another browser.", false);
  }
  if (!canStream) {
    notice("This page cannot use a service worker, so files open only when they are complete. " +
      "To play while fetching, open it over https or on localhost, and not in a private window.",
    false);
  }
  if (!(await keepsFiles())) {
    notice("This browser keeps no files for this page, perhaps because the window is private: " +
      "what you fetch is held in memory and lost with this tab. Save what you want to keep.",
    false);
  }
}

async function keepsFiles(): Promise<boolean> {
  try {
    await navigator.storage.getDirectory();
    return true;
  } catch {
    return false;
  }
}
