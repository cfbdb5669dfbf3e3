/** The worker's WebSockets to trackers. Knows text messages only; tells each socket's end once. */

/** Who hears what happens on sockets. */
export interface SocketListener {
  opened(tracker: number): void;
  text(tracker: number, text: string): void;
  closed(tracker: number, why: string): void;
}

/** Longest that a socket may take to open; a browser alone waits minutes. */
const OPEN_MS_MAX = 15_000;

/** Every tracker socket of one engine. */
export class Sockets {
  readonly #sockets = new Map<number, WebSocket>();
  readonly #listener: SocketListener;

  constructor(listener: SocketListener) {
    this.#listener = listener;
  }

  /** Opens a socket. A refusal is told later, never from within. */
  open(tracker: number, url: string): void {
    let socket: WebSocket;
    try {
      socket = new WebSocket(url);
    } catch (thrown) {
      const why = thrown instanceof Error ? thrown.message : String(thrown);
      queueMicrotask(() => this.#listener.closed(tracker, why));
      return;
    }
    this.#sockets.set(tracker, socket);
    let isOpen = false;
    const timer = setTimeout(() => this.#lose(tracker, socket, "no answer"), OPEN_MS_MAX);
    socket.onopen = () => {
      isOpen = true;
      clearTimeout(timer);
      this.#listener.opened(tracker);
    };
    socket.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (typeof data === "string") this.#listener.text(tracker, data);
    };
    socket.onclose = ({ code, reason }) => {
      clearTimeout(timer);
      const closed = `closed with code ${code}${reason ? `: ${reason}` : ""}`;
      this.#lose(tracker, socket, isOpen ? closed : "it cannot be reached");
    };
  }

  /** Sends a message. */
  send(tracker: number, text: string): void {
    const socket = this.#sockets.get(tracker);
    if (socket?.readyState === WebSocket.OPEN) socket.send(text);
  }

  /** Closes a socket once what was sent has left. */
  close(tracker: number): void {
    const socket = this.#sockets.get(tracker);
    this.#sockets.delete(tracker);
    socket?.close();
  }

  #lose(tracker: number, socket: WebSocket, why: string): void {
    if (this.#sockets.get(tracker) !== socket) return;
    this.close(tracker);
    this.#listener.closed(tracker, why);
  }
}
