/** Reads a file's bytes in the page: a pull-based stream over a port to the engine worker. */

import { errorOf, HeadwaterError } from "./error.js";
import type { Bytes, FileRead, PortAnswer, PortAsk } from "./message.js";

/** Opens a stream of the given bytes. Nothing is read before it is pulled. */
export function streamOf(
  read: FileRead,
  post: (read: FileRead, port: MessagePort) => HeadwaterError | null,
): ReadableStream<Bytes> {
  const { port1, port2 } = new MessageChannel();
  const tell = (ask: PortAsk): void => port1.postMessage(ask);
  let pulled: (() => void) | undefined;
  const source: UnderlyingDefaultSource<Bytes> = {
    start: (controller) => {
      port1.onmessage = ({ data }: MessageEvent<PortAnswer>) => {
        if ("bytes" in data) controller.enqueue(data.bytes);
        else if ("end" in data) controller.close();
        else if ("fault" in data) controller.error(errorOf(data.fault));
        else return;
        if (!("bytes" in data)) port1.close();
        pulled?.();
      };
      // The worker may end in the middle; not every browser tells so.
      port1.addEventListener("close", () => {
        controller.error(new HeadwaterError("closed", "the engine ended"));
        pulled?.();
      });
      const error = post(read, port2);
      if (error) controller.error(error);
    },
    pull: () => {
      tell("pull");
      return new Promise<void>((resolve) => (pulled = resolve));
    },
    cancel: () => {
      tell("cancel");
      port1.close();
    },
  };
  return new ReadableStream(source, { highWaterMark: 0 });
}

/** Gathers a whole stream. */
export async function gather(stream: ReadableStream<Bytes>): Promise<Bytes[]> {
  const parts: Bytes[] = [];
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return parts;
    parts.push(value);
  }
}

/** Puts parts end to end. */
export function joined(parts: Bytes[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}
