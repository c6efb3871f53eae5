// What the app shows of an answer of check_budget: the verdict, and each limit as a bar with its numbers.

/** Self-contained, as its text goes into the page. Names come from agents: every string becomes a text node. */
export function budgetView() {
  const LONGEST = 1_000;
  /** They could hide or turn round what stands beside them; joiners that some scripts need stay. */
  const UNSEEN = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\u2028\u2029]/gu;
  const WORDS = { allow: "✓ Allow", warn: "! Warn", deny: "✕ Deny" };
  const WINDOWS = {
    session: "",
    total: "in all",
    hour: "this hour",
    day: "today",
    week: "this week",
    month: "this month",
  };
  const at = (id) => document.getElementById(id);
  let formats = formatsOf({});
  let last = null;

  function formatsOf({ locale, timeZone }) {
    const made = (language, zone) => ({
      usd: new Intl.NumberFormat(language, { style: "currency", currency: "USD", maximumFractionDigits: 6 }),
      count: new Intl.NumberFormat(language),
      instant: new Intl.DateTimeFormat(language, {
        ...{ month: "short", day: "numeric", hour: "numeric", minute: "2-digit", timeZoneName: "short" },
        timeZone: zone,
      }),
      time: new Intl.DateTimeFormat(language, { timeStyle: "medium", timeZone: zone }),
    });
    try {
      return made(locale, timeZone);
    } catch {
      // A locale or zone that this browser does not know.
      return made();
    }
  }

  function tamed(value) {
    const text = String(value ?? "").toWellFormed();
    return (text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text).replace(UNSEEN, "\ufffd");
  }

  function element(tag, className, ...children) {
    const made = document.createElement(tag);
    made.className = className;
    made.append(...children);
    return made;
  }

  function amount(measure, value) {
    if (measure === "cost_usd") return formats.usd.format(value);
    return measure === "duration_ms"
      ? `${formats.count.format(Math.round(value / 1_000))} s`
      : formats.count.format(value);
  }

  function instant(text) {
    const ms = Date.parse(text);
    return Number.isNaN(ms) ? "at a time unknown" : formats.instant.format(ms);
  }

  /** "Session", or the kind of what is limited and its name, set apart so that it cannot reorder its surroundings. */
  function nameOf({ scope, scope_id, window, measure }) {
    const what = measure === "cost_usd" ? "cost" : tamed(measure).replace(/_ms$/, "").replaceAll("_", " ");
    const who = scope === "session" ? [] : [" ", element("bdi", "", tamed(scope_id))];
    const when = WINDOWS[window] ?? tamed(window);
    return element("span", "name", tamed(scope), ...who, `: ${what}${when && `, ${when}`}`);
  }

  function bar({ limit, spent, held }) {
    const share = (value) => `${limit > 0 ? Math.min(100, (100 * value) / limit) : 100 * Math.sign(value)}%`;
    const parts = [element("i", "spent"), element("i", "held")];
    parts[0].style.width = share(spent);
    parts[1].style.width = share(held);
    // The numbers stand beside it.
    const made = element("div", "bar", ...parts);
    made.setAttribute("aria-hidden", "true");
    return made;
  }

  function numbers({ measure, limit, spent, held, remaining, overspend, resets_at }) {
    const parts = [
      `${amount(measure, spent)} spent`,
      held > 0 && `${amount(measure, held)} held`,
      `${amount(measure, remaining)} left of ${amount(measure, limit)}`,
      overspend > 0 && `over by ${amount(measure, overspend)}`,
      resets_at !== null && `resets ${instant(resets_at)}`,
    ];
    return element("p", "numbers", parts.filter(Boolean).join(" · "));
  }

  function limitRow(limit, { decision, binding }) {
    const isBinding =
      binding !== null && ["scope", "scope_id", "window", "measure"].every((k) => binding[k] === limit[k]);
    // No tool calls at all is a permission: unused, it is not used up.
    const isPermission = limit.limit === 0 && limit.measure === "tool_calls" && limit.overspend === 0;
    const isUsedUp = limit.remaining <= 0 && !isPermission;
    const notes = [isUsedUp && "used up", isBinding && (decision === "allow" ? "nearest its end" : "decides")];
    const head = element("p", "head", nameOf(limit), element("span", "note", notes.filter(Boolean).join(", ")));
    const row = element("li", "", head, bar(limit), numbers(limit));
    row.dataset.state = isUsedUp ? "deny" : isBinding ? decision : "allow";
    return row;
  }

  function showResult(result) {
    const text = [result.content].flat().find((part) => part?.type === "text")?.text;
    // Its first line is a sentence; JSON may follow.
    const [line] = String(text ?? "The answer holds no budget.").split("\n");
    if (result.isError || !Array.isArray(result.structuredContent?.verdict?.limits)) return showFault(line);
    last = { answer: result.structuredContent, shownAt: Date.now() };
    at("fault").textContent = "";
    draw(last);
  }

  function draw({ answer: { verdict, hold_id, hold_expires_at }, shownAt }) {
    document.body.dataset.state = verdict.decision;
    at("decision").textContent = WORDS[verdict.decision] ?? tamed(verdict.decision);
    at("message").textContent = tamed(verdict.message);
    at("hold").textContent = hold_id ? `Set aside until ${instant(hold_expires_at)}: ${tamed(hold_id)}` : "";
    at("limits").replaceChildren(...verdict.limits.map((limit) => limitRow(limit, verdict)));
    at("checked").textContent = `As of ${formats.time.format(shownAt)}`;
  }

  /** What was shown before stays, with its time. */
  function showFault(text) {
    if (last === null) at("message").textContent = "No budget to show.";
    at("fault").textContent = tamed(text);
  }

  function speak(context) {
    formats = formatsOf(context);
    if (last) draw(last);
  }

  return { button: at("again"), showResult, showFault, speak };
}
