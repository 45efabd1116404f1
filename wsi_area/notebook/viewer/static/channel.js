// The viewer's questions and their answers over the widget's own channel; nothing else leaves the page.

const IN_FLIGHT = 4;
// A Jupyter server drops what a kernel sends beyond 1 MB/s, averaged over 3 s; a dropped tile would never come.
const WINDOW_MS = 3000;
const WINDOW_BYTES = 2_400_000;
const SILENCE_MS = 5000;
const MOST_TRIES = 4;

class Channel {
  /** Ask a kernel for tiles. `onSilence(bool)` hears when answers stay away or are back, `onBusy(bool)` of any to come. */
  constructor(model, onSilence, onBusy) {
    this.model = model;
    this.onBusy = onBusy;
    this.onSilence = onSilence;
    this.view = Math.random().toString(36).slice(2); // one model may be shown twice
    this.number = 0;
    this.queue = [];
    this.sent = new Map(); // by number, in the order of asking, which is the order of answering
    this.received = []; // [when, bytes]
    this.receive = this.receive.bind(this);
    model.on("msg:custom", this.receive);
  }

  /** Return a question; its `answer` is a promise of bytes, or of null where there is nothing to see. */
  ask(kind, level, column, row) {
    const question = { kind, level, column, row, tries: 0, dropped: false };
    question.answer = new Promise((resolve, reject) => Object.assign(question, { resolve, reject }));
    this.queue.push(question);
    this.pump();
    return question;
  }

  /** Forget a question that nobody waits for any more. */
  drop(question) {
    question.dropped = true;
    this.queue = this.queue.filter((other) => other !== question);
  }

  close() {
    this.model.off("msg:custom", this.receive);
    clearTimeout(this.later);
    clearTimeout(this.silence);
    this.queue = [];
    this.sent.clear();
  }

  pump() {
    clearTimeout(this.later);
    const now = performance.now();
    this.received = this.received.filter(([when]) => now - when < WINDOW_MS);
    const bytes = this.received.reduce((sum, [, size]) => sum + size, 0);
    if (bytes > WINDOW_BYTES) {
      this.later = setTimeout(() => this.pump(), WINDOW_MS / 10);
      return;
    }
    while (this.queue.length && this.sent.size < IN_FLIGHT) this.send(this.queue.shift());
    this.onBusy(this.sent.size > 0);
  }

  send(question) {
    const { kind, level, column, row } = question;
    this.number += 1;
    this.sent.set(this.number, question);
    try {
      this.model.send({ view: this.view, number: this.number, kind, level, column, row });
    } catch {
      this.onSilence(true); // a notebook opened without its kernel
    }
    if (!this.silence) this.listen();
  }

  /** Ask the oldest question once more whenever nothing was heard for a while: its answer shows what was lost. */
  listen() {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => {
      this.silence = null;
      if (!this.sent.size) return;
      this.onSilence(true);
      const [number, question] = this.sent.entries().next().value;
      this.sent.delete(number);
      this.send(question);
    }, SILENCE_MS);
  }

  receive(message, buffers) {
    if (message.view !== this.view) return;
    this.onSilence(false);
    this.listen();
    const bytes = buffers && buffers.length ? new Uint8Array(buffers[0].buffer ?? buffers[0], buffers[0].byteOffset ?? 0, buffers[0].byteLength) : null;
    this.received.push([performance.now(), bytes ? bytes.byteLength : 0]);
    const question = this.sent.get(message.number);
    this.sent.delete(message.number);
    // answers come in order: what was asked earlier and is still open was lost on the way
    for (const [number, lost] of [...this.sent]) {
      if (number < message.number) {
        this.sent.delete(number);
        this.again(lost);
      }
    }
    if (question) {
      if (message.error) question.reject(new Error(message.error));
      else question.resolve(bytes);
    }
    this.pump();
  }

  again(question) {
    question.tries += 1;
    if (question.dropped) return;
    if (question.tries < MOST_TRIES) this.queue.unshift(question);
    else question.reject(new Error("The notebook's server does not let the tiles through."));
  }
}
