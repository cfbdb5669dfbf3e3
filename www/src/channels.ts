/**
 * The worker's links: data channels that the page transferred, or its relay where a browser cannot.
 * Knows bytes and how many wait; each link's end is told once.
 */

import type { LinkEnd, PeerNews, PeerOrder } from "./message.js";

/** Who hears what happens on links. */
export interface LinkListener {
  opened(link: number): void;
  bytes(link: number, bytes: Uint8Array): void;
  writable(link: number, waiting: number): void;
  described(link: number, kind: "offered" | "answered", sdp: string): void;
  ended(link: number, end: LinkEnd): void;
}

interface Relay {
  sent: number;
  waiting: number;
}

/** Every link of one engine. */
export class Channels {
  readonly #alive = new Set<number>();
  readonly #channels = new Map<number, RTCDataChannel>();
  readonly #relays = new Map<number, Relay>();
  readonly #listener: LinkListener;
  readonly #order: (order: PeerOrder, transfer?: Transferable[]) => void;

  constructor(
    listener: LinkListener,
    order: (order: PeerOrder, transfer?: Transferable[]) => void,
  ) {
    this.#listener = listener;
    this.#order = order;
  }

  /** Passes an order of the engine on to the page. */
  order(order: PeerOrder): void {
    if (order.peer === "drop") this.#forget(order.link);
    else if (order.peer !== "accept") this.#alive.add(order.link);
    this.#order(order);
  }

  /** Takes news from the page. */
  hear(news: PeerNews): void {
    const { link } = news;
    if (!this.#alive.has(link)) {
      if (news.peer === "channel") news.channel.close();
      return;
    }
    switch (news.peer) {
      case "offered":
      case "answered":
        this.#listener.described(link, news.peer, news.sdp);
        break;
      case "channel":
        this.#take(link, news.channel);
        break;
      case "relay":
        this.#relays.set(link, { sent: 0, waiting: 0 });
        break;
      case "relay-open":
        this.#listener.opened(link);
        break;
      case "relay-bytes":
        this.#listener.bytes(link, new Uint8Array(news.bytes));
        break;
      case "relay-drained":
        this.#relayDrained(link, news.sent, news.left);
        break;
      case "lost":
        this.#end(link, news.end);
        break;
    }
  }

  /** Sends one message; answers how many bytes wait, negative when the link is broken. */
  send(link: number, bytes: Uint8Array): number {
    const relay = this.#relays.get(link);
    if (relay) {
      const copy = bytes.slice().buffer;
      relay.sent += copy.byteLength;
      relay.waiting += copy.byteLength;
      this.#order({ peer: "relay-send", link, bytes: copy }, [copy]);
      return relay.waiting;
    }
    const channel = this.#channels.get(link);
    if (!channel) return -1;
    try {
      channel.send(bytes as Uint8Array<ArrayBuffer>);
      return channel.bufferedAmount;
    } catch {
      queueMicrotask(() => this.#end(link, "closed"));
      return -1;
    }
  }

  /** Sets below how many waiting bytes a link asks for more. */
  setLow(link: number, bytes: number): void {
    const channel = this.#channels.get(link);
    if (channel) channel.bufferedAmountLowThreshold = bytes;
  }

  /** A channel may open on its way here, and then says so to nobody. */
  #take(link: number, channel: RTCDataChannel): void {
    this.#channels.set(link, channel);
    channel.binaryType = "arraybuffer";
    let isOpen = false;
    const open = (): void => {
      if (isOpen || !this.#alive.has(link)) return;
      isOpen = true;
      this.#listener.opened(link);
    };
    channel.onopen = open;
    channel.onmessage = ({ data }: MessageEvent<unknown>) => {
      open();
      const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
      this.#listener.bytes(link, new Uint8Array(bytes as ArrayBuffer));
    };
    channel.onbufferedamountlow = () => this.#listener.writable(link, channel.bufferedAmount);
    channel.onclose = () => this.#end(link, "closed");
    if (channel.readyState === "open") open();
    if (channel.readyState === "closed") this.#end(link, "closed");
  }

  #relayDrained(link: number, sent: number, left: number): void {
    const relay = this.#relays.get(link);
    if (!relay) return;
    relay.waiting = relay.sent - sent + left;
    this.#listener.writable(link, relay.waiting);
  }

  /** A link may end in the page and here at once; the engine hears of it once. */
  #end(link: number, end: LinkEnd): void {
    if (!this.#alive.has(link)) return;
    this.#forget(link);
    this.#order({ peer: "drop", link });
    this.#listener.ended(link, end);
  }

  #forget(link: number): void {
    this.#alive.delete(link);
    this.#relays.delete(link);
    const channel = this.#channels.get(link);
    if (!channel) return;
    this.#channels.delete(link);
    channel.onopen = channel.onmessage = channel.onbufferedamountlow = channel.onclose = null;
    channel.close();
  }
}
