/**
 * Reads what a wallet announces of itself. Any script of the page can announce, so every field is
 * read once, cut, cleaned, and shown as text; an icon is an image in a data: address or nothing.
 */

import type { ChainKind } from "./address.js";
import { peek, plainText } from "./peek.js";

/** A wallet that was found. */
export interface FoundWallet {
  readonly kind: ChainKind;
  readonly name: string;
  /** A `data:` address of an image; empty where there is none. For `<img src>` only. */
  readonly icon: string;
  /** Reverse domain name it goes by; nobody vouches for it. */
  readonly rdns: string;
  /** Name of this announcement, which may change with each load of the page. */
  readonly uuid: string;
  /** Whether it speaks TIP-1193 or EIP-1193; the older TronLink does not. */
  readonly isLegacy: boolean;
  /** The wallet's own object; hostile until proven otherwise, and then still. */
  readonly provider: object;
}

/** What the wallet is called that has been on `window` from the start. */
export const LEGACY_NAME = "TronLink";

const NAME_MAX = 48;
const RDNS_MAX = 96;
const UUID_MAX = 64;
const ICON_MAX = 65_536;
const ICON = /^data:image\/(?:png|jpeg|gif|webp|svg\+xml)[;,]/;

/** Reads the detail of an announcing event; `null` for what is none. */
export function readAnnouncement(kind: ChainKind, detail: unknown): FoundWallet | null {
  const provider = peek(detail, "provider");
  const info = peek(detail, "info");
  if (typeof provider !== "object" || provider === null) return null;
  const name = plainText(peek(info, "name"), NAME_MAX);
  const uuid = plainText(peek(info, "uuid"), UUID_MAX);
  if (name === "" || uuid === "" || typeof peek(provider, "request") !== "function") return null;
  const rdns = plainText(peek(info, "rdns"), RDNS_MAX);
  const icon = iconOf(peek(info, "icon"));
  return Object.freeze({ kind, name, icon, rdns, uuid, isLegacy: false, provider });
}

/** A wallet that put itself on `window` and announces nothing. */
export function fromWindow(kind: ChainKind, provider: unknown): FoundWallet | null {
  const isTronLink = peek(provider, "isTronLink") === true;
  const name = isTronLink ? LEGACY_NAME : kind === "tron" ? "TRON wallet" : "Browser wallet";
  return unnamed(kind, name, provider, false);
}

/** A wallet of before TIP-1193: `window.tronLink`, or a TronWeb alone. */
export function fromOldWindow(provider: unknown, isTronLink: boolean): FoundWallet | null {
  return unnamed("tron", isTronLink ? LEGACY_NAME : "TRON wallet", provider, true);
}

function unnamed(
  kind: ChainKind,
  name: string,
  provider: unknown,
  isLegacy: boolean,
): FoundWallet | null {
  if (typeof provider !== "object" || provider === null) return null;
  if (typeof peek(provider, "request") !== "function") return null;
  return Object.freeze({ kind, name, icon: "", rdns: "", uuid: "", isLegacy, provider });
}

function iconOf(value: unknown): string {
  if (typeof value !== "string" || value.length > ICON_MAX) return "";
  return ICON.test(value) ? value : "";
}
