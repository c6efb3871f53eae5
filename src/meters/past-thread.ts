// Reads the past in a thread of its own: while some conversations are booked, the next ones are read.
import { on } from "node:events";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import type { ReadConversation } from "./past-file.ts";
import { type Past, readPast } from "./past-readers.ts";

/** So many responses may wait to be booked: what is read ahead stays in memory. */
const MOST_AHEAD = 20_000;

/** `taken`: how many responses were fetched by whoever books them. */
type Job = { readonly past: Past; readonly taken: Int32Array<SharedArrayBuffer> };
type Message = ReadConversation | "end";

const countOf = ({ threads }: ReadConversation): number =>
  threads.reduce((sum, { responses }) => sum + responses.length, 0);

export async function* readAhead(past: Past): AsyncGenerator<ReadConversation> {
  const taken = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const worker = new Worker(new URL(import.meta.url), { workerData: { pastJob: { past, taken } satisfies Job } });
  try {
    for await (const [message] of on(worker, "message") as AsyncIterable<[Message]>) {
      if (message === "end") return;
      yield message;
      Atomics.add(taken, 0, countOf(message));
      Atomics.notify(taken, 0);
    }
  } finally {
    await worker.terminate();
  }
}

/** This same file is what the thread runs. */
function work({ past, taken }: Job): void {
  let sent = 0;
  for (const conversation of readPast(past)) {
    for (let done = Atomics.load(taken, 0); sent - done > MOST_AHEAD; done = Atomics.load(taken, 0))
      Atomics.wait(taken, 0, done);
    parentPort?.postMessage(conversation satisfies Message);
    sent += countOf(conversation);
  }
  parentPort?.postMessage("end" satisfies Message);
}

if (!isMainThread && workerData?.pastJob) work(workerData.pastJob);
