// The app as clients take it: one HTML document with its style and its script in it, which loads nothing.
import { budgetApp } from "./app.js";
import { connectHost } from "./host.js";
import { budgetView } from "./view.js";

/** A client may give its own colours and font; without them, ours. Each pair is readable (AA) in light and dark. */
const STYLE = `
:root {
  color-scheme: light dark;
  --page: var(--color-background-primary, light-dark(#fff, #1b1b1d));
  --ink: var(--color-text-primary, light-dark(#1a1a1a, #f1f1f1));
  --faint: var(--color-text-secondary, light-dark(#595959, #b4b4b4));
  --rail: light-dark(#e3e3e6, #3a3a3f);
  --allow: light-dark(#14713a, #5fd38d);
  --warn: light-dark(#8a5300, #f2b84b);
  --deny: light-dark(#b3261e, #ff8a80);
}
* { box-sizing: border-box; margin: 0; }
body { padding: 12px; background: var(--page); color: var(--ink); font: 14px/1.45 var(--font-sans, system-ui, sans-serif); overflow-wrap: anywhere; }
[data-state=allow] { --state: var(--allow); }
[data-state=warn] { --state: var(--warn); }
[data-state=deny] { --state: var(--deny); }
h1 { font-size: 18px; color: var(--state, inherit); }
ul { list-style: none; padding: 0; }
li { margin-top: 12px; }
.head, footer { display: flex; flex-wrap: wrap; gap: 0 8px; justify-content: space-between; align-items: center; }
.name { font-weight: 600; }
.name::first-letter { text-transform: uppercase; }
.note { color: var(--state, inherit); }
.numbers, #checked { color: var(--faint); font-size: 13px; }
.bar { display: flex; height: 8px; margin: 3px 0; border-radius: 4px; overflow: hidden; background: var(--rail); }
.spent { background: var(--state); }
.held { background: repeating-linear-gradient(135deg, var(--state) 0 3px, transparent 3px 6px); }
#fault { color: var(--deny); }
#hold, #fault, footer { margin-top: 12px; }
:empty:not(i) { display: none; }
button { padding: 5px 12px; border: 1px solid var(--faint); border-radius: 6px; background: none; color: inherit; font: inherit; cursor: pointer; }
button:disabled { cursor: wait; border-style: dashed; }
button:focus-visible { outline: 2px solid; outline-offset: 2px; }
`;

/** The functions go in as they are written: none of them uses anything but its arguments and the browser. */
export const BUDGET_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Budget</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<div aria-live="polite">
<h1 id="decision">Budget</h1>
<p id="message">Waiting for the answer.</p>
</div>
<p id="hold"></p>
<ul id="limits" aria-label="Limits"></ul>
<p id="fault" role="alert"></p>
<footer><span id="checked"></span><button id="again" type="button" hidden>Check again</button></footer>
</main>
<script>(${budgetApp})(${connectHost}, ${budgetView});</script>
</body>
</html>
`;
