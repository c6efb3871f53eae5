// astra.yml as a file: line and column of every fault, hostile YAML, the example, and the watch on a changing file.
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { checkPolicyText, loadPolicy, watchedPolicy } from "../src/config.ts";
import { AstraError } from "../src/core/error.ts";
import { NANO_PER_CENT, NANO_PER_USD } from "../src/core/money.ts";
import { powerless } from "./powerless.ts";

const folder = mkdtempSync(join(tmpdir(), "astra-config-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
function fileWith(content: string | Uint8Array): string {
  const file = join(folder, `${files++}.yml`);
  writeFileSync(file, content, { mode: 0o600 });
  return file;
}

function errorOf(run: () => unknown): AstraError {
  try {
    run();
  } catch (error) {
    if (error instanceof AstraError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

function linesOf(text: string): string[] {
  const error = errorOf(() => checkPolicyText(text, "astra.yml"));
  expect(error.code).toBe("policy_invalid");
  return error.message.split("\n");
}

describe("the example", () => {
  const file = new URL("../astra.yml.example", import.meta.url).pathname;

  test("astra.yml.example loads without a note", () => {
    expect(loadPolicy(file).notes.filter((note) => !note.includes("every user of this machine"))).toEqual([]);
  });

  test("it holds the seed's research-agent block word for word", () => {
    const block = [
      "  - id: research-agent",
      "    budget:",
      "      maxTotalTokens: 50000",
      "      maxCostCents: 50",
      "      maxToolCalls: 20",
      "      maxDuration: 60000",
      "      maxChildAgents: 0",
    ];
    const bare = readFileSync(file, "utf8").replace(/ +#.*/g, "");
    expect(bare).toContain(block.join("\n"));
  });

  test("it holds what the demo plays with", () => {
    const { policy } = loadPolicy(file);
    expect(policy.teams.get("research")).toMatchObject({
      dailyCostLimit: 10n * NANO_PER_USD,
      taskCostLimit: 2n * NANO_PER_USD,
    });
    expect(policy.teams.get("night-shift")?.dailyCostLimit).toBe(NANO_PER_USD);
    expect(policy.agents.get("support-agent")?.role).toBe("writer");
    expect(policy.agents.get("lead-agent")?.budget).toEqual({
      maxCostCents: 100n * NANO_PER_CENT,
      maxToolCalls: 50n,
      maxChildAgents: 4n,
      maxSpawnDepth: 2n,
    });
    for (const racer of [1, 2, 3, 4]) expect(policy.agents.get(`racer-${racer}`)?.team).toBe("night-shift");
    expect(policy.tasks.get("fix-typo")).toMatchObject({ title: "Fix typo in README", costLimit: NANO_PER_USD / 2n });
    expect(policy.tools.get("generate_image")).toBe(40_000_000n);
  });

  test("every commented-out setting in it is valid too", () => {
    const text = readFileSync(file, "utf8")
      .replace(/^# (hardCaps:| {2}max)/gm, "$1")
      .replace(/^( +)# (cacheWrite)/gm, "$1$2");
    const { policy, notes } = checkPolicyText(text, "astra.yml.example");
    expect(notes).toEqual([]);
    expect(policy.prices.get("in-house/llama-70b")?.base.cacheWrite1h).toBe(1_200_000_000n);
  });
});

describe("where a fault is", () => {
  const count = "expected a whole number from 0 to";

  test("every fault of a file is told at once, in the order of the file, with line and column", () => {
    const text = [
      "workspace:",
      "  timezone: Mars/Olympus",
      "  dailyCostLimit: 5",
      "agents:",
      "  - id: a",
      "    role: reseacher",
      "    team: nobody",
      "    budget:",
      "      maxToolCall: 5",
      "      maxToolCalls: -5",
      "      maxTotalTokens: 500,000",
      "      maxCostCents: .nan",
      "      maxPromptTokens: .inf",
      "      maxDuration: 1e308",
      "      maxSpawnDepth:",
      "  - role: writer",
      "  - id: a",
      "    memory: {x: 1, __proto__: {}}",
      "tasks:",
      '  - {id: t1, tags: ["budget:-1"], depends_on: [t2]}',
      "  - {id: t2, depends_on: [t1, t9]}",
      "warnAt: 0.5",
      "warnAt: 2",
    ].join("\r\n");
    const budget =
      "maxPromptTokens, maxCompletionTokens, maxTotalTokens, maxCostCents, maxToolCalls, maxDuration, maxSpawnDepth, maxChildAgents";
    expect(linesOf(text)).toEqual([
      'astra.yml:2:13 workspace.timezone: found "Mars/Olympus", expected an IANA time zone, such as UTC or Europe/Berlin',
      "astra.yml:3:3 workspace.dailyCostLimit: unknown key, expected one of id, timezone, dailyCostLimitUsd, monthlyCostLimitUsd, hours; did you mean dailyCostLimitUsd?",
      'astra.yml:6:11 agents[0].role: found "reseacher", expected a role (built in or listed under roles): researcher, analyst, writer, mediator; did you mean researcher?',
      'astra.yml:7:11 agents[0].team: found "nobody", expected a team listed under teams (none is listed)',
      `astra.yml:9:7 agents[0].budget.maxToolCall: unknown key, expected one of ${budget}; did you mean maxToolCalls?`,
      `astra.yml:10:21 agents[0].budget.maxToolCalls: found -5, ${count} 1,000,000,000 (tool calls)`,
      `astra.yml:11:23 agents[0].budget.maxTotalTokens: found "500,000", ${count} 1,000,000,000,000 (tokens)`,
      "astra.yml:12:21 agents[0].budget.maxCostCents: found NaN, expected a number of cents from 0 to 100,000,000",
      `astra.yml:13:24 agents[0].budget.maxPromptTokens: found Infinity, ${count} 1,000,000,000,000 (tokens)`,
      `astra.yml:14:20 agents[0].budget.maxDuration: found 1e+308, ${count} 2,678,400,000 (milliseconds, 31 days at most)`,
      `astra.yml:15:7 agents[0].budget.maxSpawnDepth: found nothing, ${count} 100 (levels)`,
      "astra.yml:16:5 agents[1].id: missing, expected an id: 1-128 letters, digits or . _ : @ / # + -, or an integer",
      'astra.yml:17:9 agents[2].id: "a" is already the id of agents[0], expected each id once',
      "astra.yml:18:17 agents[2].memory.x: found 1, expected true or false",
      "astra.yml:18:20 agents[2].memory.__proto__: found a key that may not be used, expected another name",
      'astra.yml:20:21 tasks[0].tags[0]: found "budget:-1", expected budget:USD with at most 6 decimals and at most 1,000,000, such as budget:0.50 (no space, no sign)',
      "astra.yml:21:27 tasks[1].depends_on[0]: the tasks wait for each other: t1 -> t2 -> t1, expected no cycle",
      'astra.yml:21:31 tasks[1].depends_on[1]: found "t9", expected a task listed under tasks: t1, t2',
      "astra.yml:23:1 warnAt: given twice, first on line 22, expected each key once",
      "astra.yml:23:9 warnAt: found 2, expected a number above 0 and at most 1, such as 0.8",
    ]);
  });

  test("the faults carry path, line and column apart, for machines", () => {
    const error = errorOf(() => checkPolicyText("agents:\n  - id: a\n    budget: {maxToolCalls: x}\n", "astra.yml"));
    expect(error.faults).toEqual([
      {
        path: "agents[0].budget.maxToolCalls",
        message: `found "x", ${count} 1,000,000,000 (tool calls)`,
        line: 3,
        column: 28,
      },
    ]);
    expect(error.hint).toContain("astra-budget policy check astra.yml");
  });

  test("a fault inside a shared block is told where the block is written", () => {
    const text = "roles:\n  - id: r\n    budget: &b {maxToolCalls: -1}\nagents:\n  - {id: a, budget: *b}\n";
    expect(linesOf(text)).toEqual([
      `astra.yml:3:31 roles[0].budget.maxToolCalls: found -1, ${count} 1,000,000,000 (tool calls)`,
      `astra.yml:3:31 agents[0].budget.maxToolCalls: found -1, ${count} 1,000,000,000 (tool calls)`,
    ]);
  });

  test("a missing key is told where its mapping begins", () => {
    expect(linesOf('prices:\n  "gpt-4.1": {inputUsd: 2}\n')).toEqual([
      'astra.yml:2:14 prices["gpt-4.1"].outputUsd: missing, expected a number of US dollars from 0 to 1,000,000',
    ]);
  });

  test("a byte order mark does not shift columns", () => {
    const error = errorOf(() => loadPolicy(fileWith("\uFEFFwarnAt: 2\n")));
    expect(error.message).toMatch(/\.yml:1:9 warnAt: found 2, /);
  });
});

describe("text that is no YAML, or hostile YAML", () => {
  test.each([
    ["a tab as indentation", "a:\n\tb: 1\n", "2:1 not valid YAML here: a tab indents the line, expected spaces"],
    [
      "a second colon",
      "a: b: c\n",
      "1:4 not valid YAML here: a second colon or a nested block on one line, expected one key a line; a text with a colon needs quotes",
    ],
    [
      "an open bracket",
      "agents: [1,\nb: 2\n",
      "2:1 not valid YAML here: the indentation does not fit, expected the column of the lines it belongs to",
    ],
    [
      "an open quote",
      'a: "x\n',
      "2:1 not valid YAML here: a character is missing, expected a closing quote or bracket, a comma, or a colon and a space after a key",
    ],
    [
      "ragged indentation",
      "a:\n  b: 1\n c: 2\n",
      "3:1 not valid YAML here: the indentation does not fit, expected the column of the lines it belongs to",
    ],
    [
      "a second document",
      "warnAt: 1\n---\nwarnAt: 1\n",
      "2:1 not valid YAML here: a second document begins (---), expected one",
    ],
    [
      "a reserved character",
      "a: @x\n",
      "1:4 not valid YAML here: a text begins with a reserved character, expected it in quotes",
    ],
    ["a tag", "agents: !!js/function []\n", "1:9 not valid YAML here: a tag (!…) is unknown, expected a plain value"],
    [
      "binary data",
      "workspace: {id: !!binary aGk=}\n",
      "1:17 not valid YAML here: a tag (!…) is unknown, expected a plain value",
    ],
    [
      "a list as a key",
      "? [a]\n: 1\n",
      "1:3 not valid YAML here: a key is a list, a mapping or an alias, expected a plain text",
    ],
    [
      "an alias without an anchor",
      "agents: *x\n",
      '1:9 agents: found the alias "*x", expected its anchor (&) before it',
    ],
    [
      "20,000 open brackets",
      "[".repeat(20_000),
      "1:1 not valid YAML here: nested too deeply, expected at most 32 levels",
    ],
  ])("%s is refused where it is, in our words", (_, text, line) => {
    expect(linesOf(text)).toEqual([`astra.yml:${line}`]);
  });

  test("closed nesting beyond any policy is refused", () => {
    expect(linesOf(`agents: ${"[".repeat(40)}${"]".repeat(40)}\n`)).toEqual([
      "astra.yml:1:41 agents[0][0][0]: nested too deeply, expected at most 32 levels",
    ]);
  });

  test("an empty file is refused, since a half-written one must not lift every limit", () => {
    for (const text of ["", "\n", "# nothing yet\n", "---\n"]) {
      expect(linesOf(text)).toEqual([
        "astra.yml:1:1 found nothing, expected a mapping of settings, such as agents: (for none, write {})",
      ]);
    }
    expect(checkPolicyText("{}\n", "astra.yml").notes).toEqual([]);
  });

  test("an alias bomb is refused at once", () => {
    const levels = ["a: &a [x,x,x,x,x,x,x,x,x,x]"];
    for (const [from, to] of ["ab", "bc", "cd", "de", "ef", "fg", "gh", "hi"].map((pair) => [...pair]))
      levels.push(`${to}: &${to} [${Array(10).fill(`*${from}`).join(",")}]`);
    const started = performance.now();
    expect(linesOf(levels.join("\n"))).toEqual([
      "astra.yml:1:1 not valid YAML here: the aliases expand to too much, expected at most 1000 uses of an anchor",
    ]);
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  test("500 agents may share one block by an alias", () => {
    const agents = Array.from({ length: 500 }, (_, index) => `  - {id: a${index}, budget: *b}`).join("\n");
    const text = `roles:\n  - id: r\n    budget: &b {maxToolCalls: 7}\nagents:\n${agents}\n`;
    expect(checkPolicyText(text, "astra.yml").policy.agents.get("a499")?.budget).toEqual({ maxToolCalls: 7n });
  });

  test("an anchor on a key serves as well", () => {
    expect(
      checkPolicyText(
        "workspace:\n  &k id: x\n  timezone: UTC\ntools: {}\nunknownModel: &d deny\nunknownAgents: *d\n",
        "a",
      ).policy.unknownAgents,
    ).toBe("deny");
    expect(checkPolicyText("workspace: {&k id: x}\nagents: [{id: *k}]\n", "a").policy.agents.get("id")?.id).toBe("id");
  });

  test("a block that contains itself is refused", () => {
    expect(linesOf("agents: &a [*a]\n")).toEqual([
      "astra.yml:1:13 agents[0]: found a list, expected an agent, such as - id: research-agent",
    ]);
  });

  test("__proto__ and constructor change nothing and are refused anywhere", () => {
    const text =
      "__proto__:\n  warnAt: 1\nconstructor: {prototype: {polluted: 1}}\ntools:\n  __proto__: {estimatedCostUsd: 1}\n";
    expect(linesOf(text).map((line) => line.slice(0, 45))).toEqual([
      "astra.yml:1:1 __proto__: found a key that may",
      "astra.yml:1:1 __proto__: unknown key, expecte",
      "astra.yml:3:1 constructor: unknown key, expec",
      "astra.yml:5:3 tools.__proto__: found a key th",
    ]);
    expect({}).not.toHaveProperty("polluted");
  });

  test("duplicate keys are refused at any depth, quoted or not", () => {
    expect(linesOf('agents:\n  - id: a\n    budget: {maxToolCalls: 1,\n      "maxToolCalls": 2}\n')).toEqual([
      "astra.yml:4:7 agents[0].budget.maxToolCalls: given twice, first on line 3, expected each key once",
    ]);
  });

  test("an id written 007 or 0x1F stays the text it is", () => {
    const { policy } = checkPolicyText("agents:\n  - id: 007\n  - id: 0x1F\n  - id: 594\n", "astra.yml");
    expect([...policy.agents.keys()]).toEqual(["007", "0x1F", "594"]);
    expect(linesOf("hardCaps: {maxToolCalls: 010}\n")).toEqual([
      'astra.yml:1:26 hardCaps.maxToolCalls: found "010", expected a whole number from 0 to 1,000,000,000 (tool calls)',
    ]);
  });

  test("50,000 unknown keys are told within seconds", () => {
    const text = Array.from({ length: 50_000 }, (_, index) => `k${index}: 1`).join("\n");
    expect(linesOf(text)).toHaveLength(50_000);
  });

  test("whatever the text, the answer is a policy or faults of ours that lie inside the text", () => {
    const word = fc.constantFrom(
      "agents",
      "id",
      "budget",
      "maxToolCalls",
      "-",
      ":",
      " ",
      "\n",
      "  ",
      "{",
      "}",
      "[",
      "]",
      "*a",
      "&a",
      "!!x",
      '"',
      "'",
      "1",
      "-1",
      ".nan",
      "|",
      ">",
      "#",
      "%",
      "\t",
      "? ",
      ",",
      "tasks",
      "tags",
      "depends_on",
      "\ud800",
      "\0",
      "\u202e",
    );
    const text = fc.oneof(
      fc.array(word, { maxLength: 40 }).map((words) => words.join("")),
      fc.string({ unit: "binary" }),
    );
    fc.assert(
      fc.property(text, (source) => {
        try {
          checkPolicyText(source, "astra.yml");
        } catch (error) {
          if (!(error instanceof AstraError)) throw error;
          const last = source.split("\n").length + 1;
          for (const line of error.message.split("\n")) {
            const at = /^astra\.yml:(\d+):(\d+) /.exec(line);
            expect(Number(at?.[1])).toBeGreaterThan(0);
            expect(Number(at?.[1])).toBeLessThanOrEqual(last);
            expect(Number(at?.[2])).toBeGreaterThan(0);
            expect(line).not.toMatch(/[\p{Cc}\u202a-\u202e]/u);
          }
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("files that cannot be read", () => {
  test.each([
    ["a missing file", () => join(folder, "none.yml"), "does not exist, expected a YAML file"],
    ["a file below a file", () => join(fileWith("{}"), "x.yml"), "does not exist, expected a YAML file"],
    ["a folder", () => folder, "is not a plain file, expected a YAML file"],
    ["a device", () => "/dev/zero", "is not a plain file, expected a YAML file"],
    [
      "more than 1 MiB",
      () => fileWith(`${"#".repeat(1_048_576)}\n`),
      "is larger than 1 MiB, expected a policy of less",
    ],
    [
      "UTF-16",
      () => fileWith(Buffer.from("\uFEFFwarnAt: 1\n", "utf16le")),
      "is not UTF-8 text, expected a YAML file saved as UTF-8",
    ],
  ])("%s is refused in our words", (_, make, what) => {
    const file = make();
    const error = errorOf(() => loadPolicy(file));
    expect([error.code, error.message, error.faults]).toEqual([
      "policy_invalid",
      `${file}: the file ${what}`,
      [{ path: "", message: what }],
    ]);
  });

  test.skipIf(process.platform === "win32")("a file without read permission is refused in our words", () => {
    const file = fileWith("{}");
    chmodSync(file, 0);
    const config = new URL("../src/config.ts", import.meta.url).href;
    const load = `const { loadPolicy } = await import(${JSON.stringify(config)});
      try { loadPolicy(process.argv[1]) } catch (error) { console.log(error.message) }`;
    const child = powerless(process.execPath, ["--input-type=module", "--eval", load, file]);
    expect(spawnSync(...child, { encoding: "utf8" }).stdout).toBe(
      `${file}: the file may not be read by this user, expected permission to read it\n`,
    );
  });

  test("a file that every user may edit loads with a warning", () => {
    const file = fileWith("{}");
    expect(loadPolicy(file).notes).toEqual([]);
    chmodSync(file, 0o666);
    expect(loadPolicy(file).notes).toEqual([
      "WARNING: every user of this machine may edit the file, and so raise any limit; chmod o-w it.",
    ]);
  });
});

describe("a file that changes while the server runs", () => {
  function watch(content: string) {
    const file = fileWith(content);
    const reports: string[] = [];
    return { file, reports, policy: watchedPolicy(file, (text) => reports.push(text)) };
  }

  test("a valid change takes effect at once and is reported with its notes", () => {
    const { file, reports, policy } = watch("warnAt: 0.5\n");
    expect(policy.current().warnAtPpm).toBe(500_000n);
    expect(policy.current()).toBe(policy.current());
    expect(reports).toEqual([]);
    writeFileSync(file, "warnAt: 0.6\nhardCaps: {maxToolCalls: 101}\n");
    expect(policy.current().warnAtPpm).toBe(600_000n);
    expect(reports).toEqual([
      `${file}: the changed policy is in effect for new decisions.\n` +
        `${file}: WARNING: hardCaps raised above the built-in ones: maxToolCalls from 100 to 101; every session and swarm may now go that far.`,
    ]);
  });

  test("a broken change is reported once and the old policy stays until it is mended", () => {
    const { file, reports, policy } = watch("warnAt: 0.5\n");
    writeFileSync(file, "warnAt: 5\n");
    for (let again = 0; again < 3; again++) expect(policy.current().warnAtPpm).toBe(500_000n);
    expect(reports).toEqual([
      `${file}: the changed policy is not valid; the old one stays in effect.\n${file}:1:9 warnAt: found 5, expected a number above 0 and at most 1, such as 0.8`,
    ]);
    writeFileSync(file, "warnAt: 0.7\n");
    expect(policy.current().warnAtPpm).toBe(700_000n);
    expect(reports).toHaveLength(2);
  });

  test("a change to another workspace's name does not take effect: its keys and costs would be somebody else's", () => {
    const { file, reports, policy } = watch("workspace: { id: home }\nwarnAt: 0.5\n");
    writeFileSync(file, "workspace: { id: away }\nwarnAt: 0.9\n");
    expect(policy.current()).toMatchObject({ workspace: { id: "home" }, warnAtPpm: 500_000n });
    expect(reports).toEqual([
      `${file}: the changed policy is not valid; the old one stays in effect.\nworkspace.id: expected home as before: restart to serve another workspace`,
    ]);
    writeFileSync(file, "workspace: { id: home }\nwarnAt: 0.9\n");
    expect(policy.current().warnAtPpm).toBe(900_000n);
  });

  test("a deleted or emptied file lifts no limit, and one put back is noticed", () => {
    const { file, reports, policy } = watch("warnAt: 0.5\n");
    rmSync(file);
    for (let again = 0; again < 3; again++) expect(policy.current().warnAtPpm).toBe(500_000n);
    writeFileSync(file, "");
    for (let again = 0; again < 3; again++) expect(policy.current().warnAtPpm).toBe(500_000n);
    writeFileSync(file, "warnAt: 0.5\n");
    expect(policy.current().warnAtPpm).toBe(500_000n);
    expect(reports.map((text) => text.split("\n").at(-1))).toEqual([
      `${file}: the file does not exist, expected a YAML file`,
      `${file}:1:1 found nothing, expected a mapping of settings, such as agents: (for none, write {})`,
      `${file}: the changed policy is in effect for new decisions.`,
    ]);
  });

  describe("is told of as it is on disk", () => {
    const FAULT = "found 5, expected a number above 0 and at most 1, such as 0.8";

    function watchAt(content: string) {
      const file = fileWith(content);
      let now = 1_000;
      const policy = watchedPolicy(
        file,
        () => {},
        () => {},
        () => now,
      );
      const write = (text: string, at: number) => {
        now = at;
        writeFileSync(file, text);
      };
      return { file, policy, write };
    }

    test("by its own name, with the notes of what is in force, and since when", () => {
      const { file, policy, write } = watchAt("warnAt: 0.5\n");
      expect(policy.file()).toEqual({ name: basename(file), inForceSince: 1_000, faults: [], notes: [] });
      write("hardCaps: { maxToolCalls: 101 }\n", 2_000);
      expect(policy.file()).toMatchObject({ inForceSince: 2_000, faults: [] });
      expect(policy.file().notes).toEqual([expect.stringContaining("maxToolCalls from 100 to 101")]);
    });

    test("with its faults while the old policy stays in force, until it is mended", () => {
      const { policy, write } = watchAt("warnAt: 0.5\n");
      write("onHoldExpiry: release\nwarnAt: 5\nteams: [{}]\n", 2_000);
      for (let again = 0; again < 2; again++) {
        const { inForceSince, faults } = policy.file();
        expect(faults).toMatchObject([
          { line: 2, column: 9, path: "warnAt", message: FAULT },
          { line: 3, column: 9, path: "teams[0].id" },
        ]);
        expect(inForceSince).toBe(1_000);
        // What did not change is not checked again.
        expect(policy.file().faults).toBe(faults);
        expect(policy.current().warnAtPpm).toBe(500_000n);
      }
      write("warnAt: 0.5\n", 3_000);
      // It is what has been in force all the time.
      expect(policy.file()).toMatchObject({ faults: [], inForceSince: 1_000 });
      write("warnAt: 0.6\n", 4_000);
      expect(policy.file()).toMatchObject({ faults: [], inForceSince: 4_000 });
    });

    test("with its faults though it was only touched since, or broken in another way", () => {
      const { file, policy, write } = watchAt("warnAt: 0.5\n");
      write("warnAt: 5\n", 2_000);
      policy.current();
      utimesSync(file, 5, 5);
      expect(policy.file().faults).toMatchObject([{ path: "warnAt", message: FAULT }]);
      write("warnAt: [\n", 3_000);
      expect(policy.file().faults).toMatchObject([
        { path: "", message: expect.stringContaining("not valid YAML here") },
      ]);
    });

    test("without a place where all of it is wrong: gone, or another workspace's", () => {
      const { file, policy, write } = watchAt("workspace: { id: home }\n");
      write("workspace: { id: away }\n", 2_000);
      expect(policy.file().faults).toEqual([
        {
          line: null,
          column: null,
          path: "workspace.id",
          message: "expected home as before: restart to serve another workspace",
        },
      ]);
      rmSync(file);
      expect(policy.file().faults).toEqual([
        { line: null, column: null, path: "", message: "does not exist, expected a YAML file" },
      ]);
    });
  });

  test("an edit of the same size that keeps the old times is noticed", () => {
    const { file, policy } = watch("warnAt: 0.5\n");
    utimesSync(file, 1, 1);
    expect(policy.current().warnAtPpm).toBe(500_000n);
    writeFileSync(file, "warnAt: 0.6\n");
    utimesSync(file, 1, 1);
    expect(policy.current().warnAtPpm).toBe(600_000n);
  });

  test("a file replaced by renaming is noticed, one only touched is not reported", () => {
    const { file, reports, policy } = watch("warnAt: 0.5\n");
    utimesSync(file, 5, 5);
    policy.current();
    expect(reports).toEqual([]);
    renameSync(fileWith("warnAt: 0.9\n"), file);
    expect(policy.current().warnAtPpm).toBe(900_000n);
  });

  test("a file that is broken from the start throws", () => {
    expect(errorOf(() => watch("warnAt: 9\n")).code).toBe("policy_invalid");
    expect(errorOf(() => watchedPolicy(join(folder, "none.yml"), () => {})).code).toBe("policy_invalid");
  });
});
