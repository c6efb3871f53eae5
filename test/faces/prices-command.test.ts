// `prices MODEL` and `prices check`: what is charged and why, in words and as JSON, from the built command.
import { describe, expect, test } from "vitest";
import { newRoom } from "./room.ts";

const AT = ["--at", "2026-11-22"];

describe("prices MODEL", () => {
  test("shows a row of our own table with its source and day, its bands, surcharges and an example", async () => {
    const { code, stdout, stderr } = await newRoom().run(["prices", "claude-haiku-5-5", ...AT]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^claude-haiku-5-5 of anthropic, 2026-11-22: override \(astra-budget 2026-11-22\)\n/);
    expect(stdout).toContain("Our own table has it (claude-haiku-5-5): measured from Claude Code");
    expect(stdout).toMatch(/^USD per million tokens +prompt up to 100,000 +prompt above 100,000$/m);
    expect(stdout).toMatch(/^input +\$0\.10 +\$0\.50$/m);
    expect(stdout).toMatch(/^cache write, 1 hour +\$0\.20 +\$1\.00$/m);
    expect(stdout).toMatch(/^processed in one country: 1\.1x$/m);
    expect(stdout).toMatch(/^web search: \$0\.01 each, \$10\.00 a thousand$/m);
    // 2,000 x 0.10 + 40,000 x 0.01 + 2,000 x 0.125 + 1,000 x 0.20 + 800 x 0.50 = 1,450 of a million; a search 0.01.
    expect(stdout).toMatch(/: \$0\.01145; as an answer that was fast \$0\.0129\.$/m);
  });

  test.each([
    ["claude-opus-5-5", [], /: exact .*\n.*lists this very model: claude-opus-5-5 of anthropic\./],
    ["claude-opus-5-5[1m]", [], /: exact /],
    [
      "claude-sonnet-5-5x",
      [],
      /: approximate .*\nAsked was claude-sonnet-5-5x; .* only knows its relative claude-sonnet-5 of anthropic\. .*flagged approximate/,
    ],
    [
      "claude-opus-5",
      ["--provider", "openai"],
      /: approximate .*\n.*does not list it as sold by openai; this is anthropic's price/,
    ],
    ["gpt-image-1.5", [], /: approximate .*\n.*not a price of its text tokens alone/],
    ["eu.anthropic.claude-sonnet-5-5-v1:0", [], /: approximate .*\n.*what another seller asks is reckoned from it/],
    ["claude-opus-4-6", [], /^fast mode: 6x \(platform\.claude\.com/m],
  ] as const)("says why of %s %j", async (model, options, says) => {
    const { code, stdout } = await newRoom().run(["prices", model, ...options, ...AT]);
    expect(code).toBe(0);
    expect(stdout).toMatch(says);
  });

  test("has the price of the day asked for", async () => {
    const room = newRoom();
    const rates = async (day: string) => (await room.json(["prices", "gpt-5.6", "--at", day])).rates;
    expect(await rates("2026-07-20")).toMatchObject([{ input_usd: 5 }, { above_tokens: 271_999, input_usd: 10 }]);
    expect(await rates("2026-11-22")).toMatchObject([{ input_usd: 4 }, { above_tokens: 271_999, input_usd: 8 }]);
  });

  test("the policy's own price wins and says so", async () => {
    const room = newRoom("prices: { claude-opus-5-5: { inputUsd: 1, outputUsd: 2 } }\n");
    expect(await room.json(["prices", "claude-opus-5-5", ...AT])).toMatchObject({
      model: "claude-opus-5-5",
      date: "2026-11-22",
      basis: "override",
      price_list: "astra.yml",
      row: "claude-opus-5-5",
      origin: null,
      rates: [{ above_tokens: 0, input_usd: 1, output_usd: 2, cache_read_usd: 1 }],
      extras: { fast_percent: 200, region_percent: 110, web_search_usd: 0.01 },
    });
  });

  test.each([
    ["worst_known", "worst_known", "so it costs the dearest rates now known of anthropic"],
    ["deny", "worst_known", "whoever asks first is denied"],
    ["unpriced", "unpriced", "its tokens cost nothing here"],
  ])("an unknown model exits 4 and says what unknownModel: %s makes of it", async (unknownModel, basis, why) => {
    const room = newRoom(`unknownModel: ${unknownModel}\n`);
    const asked = ["prices", "claude-mythos-9", "--provider", "anthropic", ...AT];
    const { code, stdout } = await room.run(asked);
    expect([code, stdout]).toEqual([4, expect.stringContaining(why)]);
    const json = await room.run([...asked, "--json"]);
    expect(JSON.parse(json.stdout)).toMatchObject({ basis, why: expect.stringContaining(why) });
  });

  test.each([
    [["prices"], "expected a MODEL"],
    [["prices", "a", "b"], 'unexpected word "b"'],
    [["prices", "a", "--at", "2026-02-31"], "--at: expected a date of the calendar, YYYY-MM-DD"],
    [["prices", "a", "--provider", ""], "--provider: expected a name"],
    [["prices", "x".repeat(257)], "MODEL: expected a name"],
    [["prices", "a\u001b[31m"], "MODEL: expected a name"],
    [["prices", "a", "--model", "b"], "--model: unknown option"],
    [["prices", "check", "--at", "2026-01-01"], "--at: is of prices MODEL"],
  ])("%j exits 2 and says what was expected", async (args, says) => {
    const { code, stdout, stderr } = await newRoom().run(args);
    expect([code, stdout, stderr]).toEqual([2, "", expect.stringContaining(says)]);
    expect(stderr).toContain("See astra-budget prices --help.");
    expect(stderr).not.toContain("\u001b");
  });

  test("explains itself, and the overview names it", async () => {
    const room = newRoom();
    const { code, stdout } = await room.run(["prices", "--help"]);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^Use: astra-budget prices MODEL/)]);
    expect((await room.run(["--help"])).stdout).toMatch(/^ {2}prices MODEL .*\n {2}prices check /m);
    expect((await room.run(["price"])).stderr).toContain("did you mean prices?");
  });
});

describe("prices check", () => {
  test("the built command compares with the list it carries, and finds no difference that is not known", async () => {
    const { code, stdout } = await newRoom().run(["prices", "check"]);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/; 0 differences to look into\.\n$/)]);
    expect(stdout).toMatch(/^claude-sonnet-4-5 +12 +alike$/m);
    expect(stdout).toMatch(/^gpt-5\.6 +long_above +271999 +272000 +1\.000 +yes$/m);
    expect(stdout).toMatch(/^Only we price: .*claude-haiku-5-5.*gpt-6\.1-sol/m);
  });

  test("as JSON with the second list's source, commit, day and licence", async () => {
    expect(await newRoom().json(["prices", "check"])).toMatchObject({
      ok: true,
      theirs: {
        source: expect.stringContaining("github.com/BerriAI/litellm"),
        commit: expect.stringMatching(/^[0-9a-f]{40}$/),
        day: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
        licence: expect.stringContaining("MIT"),
      },
      only_theirs: [],
    });
  });
});
