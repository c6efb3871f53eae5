// How dist/ is made: src/ and the pure libraries in a few files, because a server's start is spent opening files.
// better-sqlite3 is native, and the price list is read only when something is priced: both stay packages.
export default {
  input: { cli: "src/cli.ts", main: "src/main.ts" },
  platform: "node",
  resolve: { mainFields: ["module", "main"] }, // jsonc-parser's main finds its own files only while it is a package
  external: ["better-sqlite3", "@pydantic/genai-prices"],
  output: { dir: "dist", chunkFileNames: "chunks/[name].js", cleanDir: true },
};
