// The app's life: it greets the client, shows the answer that the client passes on, and asks for a fresh one.

/** Self-contained, as its text goes into the page: what it needs is passed in. */
export function budgetApp(connectHost, budgetView) {
  const view = budgetView();
  let context = {};
  let input = null;
  let mayCall = false;

  const host = connectHost({
    "ui/notifications/tool-input": (params) => {
      input = params.arguments ?? {};
      offerCheck();
    },
    "ui/notifications/tool-result": view.showResult,
    "ui/notifications/tool-cancelled": () => view.showFault("The check was cancelled."),
    "ui/notifications/host-context-changed": adopt,
  });

  /** What a client tells of itself comes in parts. */
  function adopt(part) {
    context = { ...context, ...part };
    const { style } = document.documentElement;
    style.colorScheme = context.theme ?? "light dark";
    for (const [name, value] of Object.entries(context.styles?.variables ?? {}))
      if (name.startsWith("--") && value) style.setProperty(name, value);
    view.speak(context);
  }

  function offerCheck() {
    view.button.hidden = !mayCall || input === null;
  }

  /** The same question, but nothing more is set aside: that is for whoever does the work. */
  async function checkAgain() {
    const { hold, hold_ttl_ms, idempotency_key, ...same } = input;
    view.button.disabled = true;
    try {
      view.showResult(await host.request("tools/call", { name: "check_budget", arguments: same }));
    } catch (error) {
      view.showFault(error.message);
    }
    view.button.disabled = false;
  }

  async function greet() {
    const { hostContext, hostCapabilities } = await host.request("ui/initialize", {
      protocolVersion: "2026-01-26",
      appInfo: { name: "astra-budget", version: "1" },
      appCapabilities: { availableDisplayModes: ["inline"] },
    });
    mayCall = hostCapabilities?.serverTools !== undefined;
    adopt(hostContext ?? {});
    host.notify("ui/notifications/initialized");
    const tellSize = () => {
      const { width, height } = document.documentElement.getBoundingClientRect();
      host.notify("ui/notifications/size-changed", { width: Math.ceil(width), height: Math.ceil(height) });
    };
    new ResizeObserver(tellSize).observe(document.documentElement);
  }

  view.button.addEventListener("click", checkAgain);
  greet().catch((error) => view.showFault(error.message));
}
