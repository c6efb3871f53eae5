// Which row of which list a model's name leads to, and how far it is to be trusted.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { findProvider } from "@pydantic/genai-prices";
import { describe, expect, test } from "vitest";
import { formatUsd, nanoFromUsd } from "../src/core/money.ts";
import type { Rates } from "../src/core/price.ts";
import { LIBRARY_VERSION } from "../src/price-library.ts";
import { OVERRIDE_ROWS } from "../src/price-overrides.ts";
import { openPriceList } from "../src/prices.ts";

const NOW = Date.parse("2026-11-22T12:00:00Z");
const prices = openPriceList(new Map());

/** Basis, input and cache-read price, "override $2.00 $0.10"; "unknown" for null. */
function found(model: string, provider: string | null = null): string {
  const price = prices.find(model, provider, NOW);
  if (price === null) return "unknown";
  return `${price.basis} ${formatUsd(price.rates.base.input)} ${formatUsd(price.rates.base.cacheRead)}`;
}

describe("a model's name", () => {
  test.each([
    ["claude-haiku-5"],
    ["claude-mythos-5-1"],
    ["gpt-6"],
    ["gpt-7-sol"],
    ["gemini-3.5-pro"],
    ["gemini-3.1-pro"],
    ["sonnet"],
    ["opus"],
    ["<synthetic>"],
    [""],
    ["/"],
    ["x".repeat(100_000)],
  ])("%.40s is unknown, not free", (model) => {
    expect(found(model)).toBe("unknown");
    expect(found(model, "anthropic")).toBe("unknown");
    expect(found(model, "no such provider")).toBe("unknown");
  });

  test.each([
    ["claude-sonnet-5-5"],
    ["claude-sonnet-5-5-20260928"],
    ["claude-sonnet-5-5@20260928"],
    ["claude-sonnet-5-5[1m]"],
    ["claude-sonnet-5-5-20260928[1m]"],
    ["Claude-Sonnet-5.5"],
    [" claude-sonnet-5-5-latest "],
  ])("%s is our own row, not its elder sister's", (model) => {
    for (const provider of [null, "claude", "vertex_ai", "someone"]) {
      expect(found(model, provider)).toBe("override $2.00 $0.10");
    }
  });

  test("our rows for the other models are found in dated forms too", () => {
    expect(found("claude-haiku-5-5@20261001", "google")).toBe("override $0.10 $0.01");
    expect(found("claude-fable-5-2[1m]")).toBe("override $8.00 $0.20");
    expect(found("gpt-6.2-sol-2026-11-01", "azure")).toBe("override $2.00 $0.10");
    expect(found("gpt-6-1-sol", "openai")).toBe("override $2.00 $0.10");
  });

  test.each([
    ["claude-sonnet-4", "claude"],
    ["claude-sonnet-4-20250514", "claude"],
    ["claude-sonnet-4@20250514", "google"],
    ["claude-sonnet-4-5[1m]", "claude"],
    ["claude-opus-5-5[1m]", "claude"],
    ["claude-opus-5@20260801", "claude"],
    ["claude-3-5-haiku-latest", "claude"],
    ["gpt-5.6", "openai"],
    ["gpt-5-codex", "openai"],
    ["gpt-5.1-codex-max", "openai"],
    ["gpt-4.1-2025-04-14", "openai"],
    ["gpt-4o", "azure"],
    ["models/gemini-2.5-pro", "gemini"],
    ["projects/p/locations/l/publishers/google/models/gemini-2.5-pro", "vertex"],
    ["gemini-2.0-flash-001", "google"],
    ["anthropic/claude-opus-5.5", "openrouter"],
    ["openai/gpt-5.4", "openrouter"],
    ["openai/gpt-oss-120b", "groq"],
    ["groq/llama-3.3-70b-versatile", "groq"],
    ["grok-4-latest", "xai"],
    ["deepseek-chat", "deepseek"],
    ["mistral-large-latest", "mistral"],
  ])("%s of %s is meant exactly", (model, provider) => {
    expect(found(model, provider)).toMatch(/^exact /);
  });

  test.each([
    ["claude-sonnet-5-6", "claude"],
    ["claude-opus-4-1-preview", "claude"],
    ["openai/gpt-5.6", "openrouter"],
    ["anthropic/claude-sonnet-5.5", "openrouter"],
    ["claude-opus-5", "openai"],
    ["gpt-image-1.5", "openai"],
  ])("%s of %s is priced by its nearest relative and says so", (model, provider) => {
    expect(found(model, provider)).toMatch(/^approximate /);
  });

  test("a vendor before the slash leads to OpenRouter, else to that vendor", () => {
    expect(found("anthropic/claude-opus-5")).toBe(found("anthropic/claude-opus-5", "openrouter"));
    expect(found("openai/gpt-5.6")).toBe("exact $4.00 $0.40");
    expect(found("anthropic/claude-haiku-5-5", "claude")).toBe("override $0.10 $0.01");
  });

  test("a Bedrock id has Bedrock's regional premium whatever the agent's provider is called", () => {
    for (const provider of [null, "claude", "bedrock", "aws", "amazon-bedrock"]) {
      expect(found("us.anthropic.claude-opus-5-5-v1:0", provider)).toBe("exact $4.40 $0.22");
      expect(found("global.anthropic.claude-opus-5-5-v1:0", provider)).toBe("exact $4.00 $0.20");
      expect(found("eu.anthropic.claude-sonnet-5-5-20260928-v1:0", provider)).toBe("approximate $2.20 $0.11");
      expect(found("global.anthropic.claude-haiku-5-5-v1:0", provider)).toBe("approximate $0.10 $0.01");
    }
    const arn = "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-opus-4-5-20251101-v1:0";
    expect(found(arn, "bedrock")).toBe("exact $5.50 $0.55");
  });

  test("only a model that its own seller marks free is free", () => {
    const free = findProvider({ providerId: "openrouter" })?.models.find(({ id }) => id.endsWith(":free"))?.id ?? "";
    expect(found(free, "openrouter")).toBe("exact $0.00 $0.00");
    expect(found("mistralai/devstral-small:free", "openrouter")).toBe("unknown");
    expect(found("gemma-4-31b-it", "google")).toBe("unknown");
  });

  test("a one-hour write costs 1.6 times a stated write where the list has no price for it", () => {
    const vertex = prices.find("claude-opus-5-5", "vertex", NOW)?.rates.base;
    expect(vertex?.cacheWrite).toBe(nanoFromUsd(5));
    expect(vertex?.cacheWrite1h).toBe(nanoFromUsd(8));
    const groq = prices.find("llama-3.3-70b-versatile", "groq", NOW)?.rates.base;
    expect([groq?.cacheRead, groq?.cacheWrite, groq?.cacheWrite1h]).toEqual(Array(3).fill(nanoFromUsd(0.59)));
  });
});

describe("the seller of a model", () => {
  test("is named by the list when the caller does not say", () => {
    expect(prices.find("claude-sonnet-4-20250514", null, NOW)?.provider).toBe("anthropic");
    expect(prices.find("claude-haiku-5-5", null, NOW)?.provider).toBe("anthropic");
    expect(prices.find("gpt-5", null, NOW)?.provider).toBe("openai");
  });
});

describe("the operator's own prices", () => {
  const amount = nanoFromUsd(7);
  const seven: Rates = {
    base: { input: amount, output: amount, cacheRead: amount, cacheWrite: amount, cacheWrite1h: amount },
    bands: [],
  };
  const mine = openPriceList(
    new Map([
      ["claude-sonnet-5-5", seven],
      ["My-Llama", seven],
    ]),
  );

  test("win over every list, in dated and marked forms of the model too", () => {
    const models = ["claude-sonnet-5-5", "claude-sonnet-5-5-20260928", "claude-sonnet-5-5[1m]", "my-llama"];
    for (const model of models) {
      expect(mine.find(model, "claude", NOW)).toMatchObject({
        rates: seven,
        basis: "override",
        source: "astra.yml",
        provider: null,
      });
    }
  });

  test("say nothing about other models", () => {
    expect(mine.find("claude-sonnet-5", "claude", NOW)?.source).toBe("genai-prices 0.1.8");
    expect(mine.find("my-llama-2", "claude", NOW)).toBeNull();
    expect(prices.find("claude-sonnet-5-5", "claude", NOW)?.source).toBe("astra-budget 2026-11-22");
  });
});

describe("the price lists", () => {
  test("the installed library is the one named in every charge", () => {
    const file = new URL("../node_modules/@pydantic/genai-prices/package.json", import.meta.url);
    expect(JSON.parse(readFileSync(file, "utf8")).version).toBe(LIBRARY_VERSION);
  });

  test("every row of our own names its source and a day", () => {
    for (const { origin } of OVERRIDE_ROWS) {
      expect(origin.text).not.toBe("");
      expect(origin.date).toMatch(/^2026-\d\d-\d\d$/);
    }
  });

  test("every change of price within a day is on a quarter of an hour, as the cache of answers takes for granted", () => {
    const source = readFileSync(
      new URL("../node_modules/@pydantic/genai-prices/dist/index.js", import.meta.url),
      "utf8",
    );
    const times = [...source.matchAll(/(?:start|end)_time: "([^"]+)"/g)].map(([, time]) => time);
    expect(times.length).toBeGreaterThan(0);
    for (const time of times) expect(time).toMatch(/^\d\d:(?:00|15|30|45):00Z$/);
  });

  test("opening loads no library, and questions print nothing on stdout", () => {
    const script = `
      import { createRequire } from "node:module";
      import { openPriceList } from ${JSON.stringify(new URL("../src/prices.ts", import.meta.url).href)};
      const loaded = () => Object.keys(createRequire(import.meta.url).cache).some((path) => path.includes("genai-prices"));
      const list = openPriceList(new Map());
      const before = loaded();
      list.find("claude-opus-5", null, ${NOW});
      list.find("grok-voice-latest", "x-ai", ${NOW});
      list.worst("openrouter");
      if (before || !loaded()) process.exitCode = 3;`;
    const options = { encoding: "utf8", cwd: new URL("..", import.meta.url) } as const;
    expect(execFileSync(process.execPath, ["--input-type=module", "--eval", script], options)).toBe("");
  });
});
