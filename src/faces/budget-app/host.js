// The app's end of the wire to the client that shows it: the few JSON-RPC messages of MCP Apps, over postMessage.

/** Self-contained, as its text goes into the page. `hear`: what to do with each notification, by its method. */
export function connectHost(hear) {
  const PATIENCE_MS = 30_000;
  const NO_SUCH_METHOD = -32_601;
  const waiting = new Map();
  let lastId = 0;

  // No app can know its client's origin; only the window that embeds it hears this.
  const post = (message) => window.parent.postMessage({ jsonrpc: "2.0", ...message }, "*");

  function request(method, params) {
    lastId += 1;
    const id = lastId;
    return new Promise((resolve, reject) => {
      const giveUp = setTimeout(() => answered({ id, error: { message: "The client did not answer." } }), PATIENCE_MS);
      waiting.set(id, ({ result, error }) => {
        clearTimeout(giveUp);
        if (error) reject(new Error(String(error.message)));
        else resolve(result ?? {});
      });
      post({ id, method, params });
    });
  }

  function answered(message) {
    const settle = waiting.get(message.id);
    waiting.delete(message.id);
    settle?.(message);
  }

  function asked({ id, method }) {
    const isKnown = method === "ping" || method === "ui/resource-teardown";
    post(isKnown ? { id, result: {} } : { id, error: { code: NO_SUCH_METHOD, message: "Method not found" } });
  }

  window.addEventListener("message", ({ source, data }) => {
    if (source !== window.parent || data?.jsonrpc !== "2.0") return;
    if (data.method === undefined) answered(data);
    else if (data.id !== undefined) asked(data);
    else if (Object.hasOwn(hear, data.method)) hear[data.method](data.params ?? {});
  });

  return { request, notify: (method, params = {}) => post({ method, params }) };
}
