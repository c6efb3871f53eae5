// How dist/ is made: src/ and the pure libraries in a few files, because a server's start is spent opening files.
// better-sqlite3 is native, and the price list is read only when something is priced: both stay packages.
// The dashboard's page is one script, one style and a document, for browsers.
import { readFileSync } from "node:fs";

const PAGE = "src/faces/dashboard/page";
/** The tests build elsewhere first. */
const DIST = process.env.ASTRA_DIST ?? "dist";

/** Writes the page's files that are no script beside it. */
const pageFiles = {
  name: "page-files",
  generateBundle() {
    const emit = (fileName, ...files) =>
      this.emitFile({ type: "asset", fileName, source: files.map((file) => readFileSync(file, "utf8")).join("\n") });
    emit("index.html", `${PAGE}/index.html`);
    emit("icon.svg", `${PAGE}/icon.svg`);
    emit("style.css", "node_modules/uplot/dist/uPlot.min.css", `${PAGE}/style.css`);
  },
};

export default [
  {
    input: { cli: "src/cli.ts", main: "src/main.ts" },
    platform: "node",
    resolve: { mainFields: ["module", "main"] }, // jsonc-parser's main finds its own files only while it is a package
    external: ["better-sqlite3", "@pydantic/genai-prices"],
    output: { dir: DIST, chunkFileNames: "chunks/[name].js", cleanDir: true },
  },
  {
    input: { app: `${PAGE}/main.ts` },
    platform: "browser",
    plugins: [pageFiles],
    output: { dir: `${DIST}/dashboard`, minify: true },
  },
];
