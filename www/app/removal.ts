/**
 * The dialog that confirms a removal, and asks whether the stored data goes too.
 */
import { make, makeButton } from "./dom.js";

/** What was answered: keep the torrent, remove it, or remove it with its data. */
export type Removal = "keep" | "remove" | "delete";

/** Asks about a torrent of this name, stored at that place. */
export function askRemoval(name: string, place = "in this browser"): Promise<Removal> {
  return new Promise((resolve) => {
    const box = make("input", { type: "checkbox", id: "removal-data" });
    const dialog = make("dialog", { class: "dialog", "aria-labelledby": "removal-title" },
      make("h2", { id: "removal-title", dir: "auto" }, `Remove ${name}?`),
      make("p", {}, "It is no longer fetched or shared, and leaves this list."),
      make("p", { class: "check" }, box,
        make("label", { for: "removal-data" }, `Also delete what is stored of it ${place}`)),
      make("div", { class: "dialog-acts" },
        makeButton("Keep it", {}, () => dialog.close("keep")),
        makeButton("Remove", { class: "danger" }, () =>
          dialog.close(box.checked ? "delete" : "remove"))));
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "delete" || dialog.returnValue === "remove"
        ? dialog.returnValue : "keep");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
