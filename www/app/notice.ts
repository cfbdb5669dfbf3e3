/**
 * Shows what went wrong, or what this browser lacks, with what still works and the next step.
 */
import { byId, make, makeButton } from "./dom.js";

/** Plain words for the codes that users meet; any other shows the error's own message. */
const PLAIN: Record<string, string> = {
  "storage-full": "Storage is full. Remove a torrent with its data, or choose fewer files, " +
    "then press Resume.",
  "no-webrtc": "This browser cannot make peer connections, so nothing can be fetched or shared. " +
    "What is stored here still plays.",
  "other-tab": "This torrent is open in another tab, which fetches and shares it. Go on there, " +
    "or close that tab and press Resume here.",
};

/** Says an error for a person: plain words where they are known, and its code. */
export function plain(error: unknown): string {
  const code = codeOf(error);
  const known = code === null ? undefined : PLAIN[code];
  const text = known ?? messageOf(error);
  const sentence = text.charAt(0).toUpperCase() + text.slice(1).replace(/\.?$/, ".");
  return code === null ? sentence : `${sentence} (${code})`;
}

/** Plain words for a warning; empty for one that the sentence tells already. */
export function plainWarning(warning: { code: string; message: string }): string {
  return warning.code === "tracker" ? "" : plain(warning);
}

/** Returns an error's stable code. */
export function codeOf(error: unknown): string | null {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : null;
}

function messageOf(error: unknown): string {
  const message = (error as { message?: unknown } | null)?.message;
  return typeof message === "string" && message !== "" ? message : String(error);
}

/** Shows a notice at the top of the page until it is dismissed; the same one only once. */
export function notice(text: string, urgent: boolean): void {
  const place = byId("notices", HTMLElement);
  const shown = [...place.querySelectorAll("p")].some((each) => each.textContent === text);
  if (shown) return;
  const box = make("div", { class: "notice", role: urgent ? "alert" : "note" });
  const dismiss = makeButton("Dismiss", { class: "plain" }, () => box.remove());
  box.append(make("p", {}, text), dismiss);
  place.append(box);
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
