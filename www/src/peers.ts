/**
 * The only place that touches peer connections: makes them on the worker's order, hands each data
 * channel to the worker, and says once when one is lost. Knows nothing of torrents.
 */

import type { LinkEnd, PeerNews, PeerOrder } from "./message.js";

/** Longest that candidates are gathered before a description leaves without the rest. */
const GATHER_MS_MAX = 1000;
/** How long slower candidates are awaited once a public address is known. */
const GATHER_MS_AFTER_PUBLIC = 300;
/** When a relayed data channel asks for more. */
const RELAY_LOW_WATER = 256 * 1024;

interface Held {
  pc: RTCPeerConnection;
  relay: RTCDataChannel | null;
  sent: number;
}

/** Tells the worker something; buffers and channels in `transfer` move with it. */
export type Tell = (news: PeerNews, transfer?: Transferable[]) => void;

/** Whether this page can make peer connections. */
export function hasWebRtc(): boolean {
  return typeof RTCPeerConnection === "function";
}

/** The peer connections of one engine. */
export class Peers {
  readonly #held = new Map<number, Held>();
  readonly #config: RTCConfiguration;
  readonly #tell: Tell;

  constructor(iceServers: RTCIceServer[], tell: Tell) {
    this.#config = { iceServers };
    this.#tell = tell;
  }

  /** Does what the worker ordered. */
  obey(order: PeerOrder): void {
    switch (order.peer) {
      case "offer":
        void this.#attempt(order.link, (held) => this.#offer(order.link, held));
        break;
      case "answer":
        void this.#attempt(order.link, (held) => this.#answer(order.link, held, order.offer));
        break;
      case "accept":
        void this.#accept(order.link, order.answer);
        break;
      case "relay-send":
        this.#relaySend(order.link, order.bytes);
        break;
      case "drop":
        this.#drop(order.link);
        break;
    }
  }

  /** Closes every connection and tells nobody. */
  close(): void {
    for (const link of [...this.#held.keys()]) this.#drop(link);
  }

  async #attempt(link: number, describe: (held: Held) => Promise<void>): Promise<void> {
    let pc: RTCPeerConnection;
    try {
      pc = new RTCPeerConnection(this.#config);
    } catch {
      this.#tell({ peer: "lost", link, end: "unsupported" });
      return;
    }
    const held: Held = { pc, relay: null, sent: 0 };
    this.#held.set(link, held);
    pc.onconnectionstatechange = () => {
      if (pc.connectionState === "failed") this.#lose(link, "failed");
      if (pc.connectionState === "closed") this.#lose(link, "closed");
    };
    try {
      await describe(held);
    } catch {
      this.#lose(link, "failed");
    }
  }

  async #offer(link: number, held: Held): Promise<void> {
    this.#hand(link, held, held.pc.createDataChannel(randomLabel()));
    await held.pc.setLocalDescription(await held.pc.createOffer());
    const sdp = await gathered(held.pc);
    if (this.#held.get(link) === held) this.#tell({ peer: "offered", link, sdp });
  }

  async #answer(link: number, held: Held, offer: string): Promise<void> {
    held.pc.ondatachannel = (event) => {
      held.pc.ondatachannel = null;
      this.#hand(link, held, event.channel);
    };
    await held.pc.setRemoteDescription({ type: "offer", sdp: offer });
    await held.pc.setLocalDescription(await held.pc.createAnswer());
    const sdp = await gathered(held.pc);
    if (this.#held.get(link) === held) this.#tell({ peer: "answered", link, sdp });
  }

  async #accept(link: number, sdp: string): Promise<void> {
    try {
      await this.#held.get(link)?.pc.setRemoteDescription({ type: "answer", sdp });
    } catch {
      this.#lose(link, "failed");
    }
  }

  /** Only an unused channel can be transferred, so this comes before anything else. */
  #hand(link: number, held: Held, channel: RTCDataChannel): void {
    channel.binaryType = "arraybuffer";
    try {
      const transfer = [channel as unknown as Transferable];
      this.#tell({ peer: "channel", link, channel }, transfer);
    } catch {
      this.#relay(link, held, channel);
    }
  }

  #relay(link: number, held: Held, channel: RTCDataChannel): void {
    held.relay = channel;
    channel.bufferedAmountLowThreshold = RELAY_LOW_WATER;
    this.#tell({ peer: "relay", link });
    const open = (): void => this.#tell({ peer: "relay-open", link });
    if (channel.readyState === "open") open();
    else channel.onopen = open;
    channel.onmessage = ({ data }) => {
      if (!(data instanceof ArrayBuffer)) return;
      this.#tell({ peer: "relay-bytes", link, bytes: data }, [data]);
    };
    channel.onbufferedamountlow = () => this.#drained(link, held, channel);
    channel.onclose = () => this.#lose(link, "closed");
  }

  #relaySend(link: number, bytes: ArrayBuffer): void {
    const held = this.#held.get(link);
    if (!held?.relay) return;
    try {
      held.relay.send(bytes);
    } catch {
      this.#lose(link, "closed");
      return;
    }
    held.sent += bytes.byteLength;
    if (held.relay.bufferedAmount <= RELAY_LOW_WATER) this.#drained(link, held, held.relay);
  }

  #drained(link: number, held: Held, channel: RTCDataChannel): void {
    this.#tell({ peer: "relay-drained", link, sent: held.sent, left: channel.bufferedAmount });
  }

  /** A connection may end in several ways at once; the worker hears of the first. */
  #lose(link: number, end: LinkEnd): void {
    if (!this.#held.has(link)) return;
    this.#drop(link);
    this.#tell({ peer: "lost", link, end });
  }

  #drop(link: number): void {
    const held = this.#held.get(link);
    if (!held) return;
    this.#held.delete(link);
    held.pc.onconnectionstatechange = null;
    held.pc.ondatachannel = null;
    if (held.relay) held.relay.onclose = null;
    held.pc.close();
  }
}

/** The local description once enough candidates are in it. */
async function gathered(pc: RTCPeerConnection): Promise<string> {
  if (pc.iceGatheringState !== "complete") {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        pc.onicecandidate = null;
        pc.onicegatheringstatechange = null;
        resolve();
      };
      let timer = setTimeout(done, GATHER_MS_MAX);
      let isPublic = false;
      pc.onicecandidate = ({ candidate }) => {
        if (candidate?.type !== "srflx" || isPublic) return;
        isPublic = true;
        clearTimeout(timer);
        timer = setTimeout(done, GATHER_MS_AFTER_PUBLIC);
      };
      pc.onicegatheringstatechange = () => {
        if (pc.iceGatheringState === "complete") done();
      };
    });
  }
  const sdp = pc.localDescription?.sdp;
  if (!sdp) throw new Error("connection closed while gathering");
  return sdp.replace(/^a=ice-options:trickle\r?\n/gm, "");
}

/** WebTorrent names its channels by 40 random hex digits; nobody reads them. */
function randomLabel(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(20));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
