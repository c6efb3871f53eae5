// The store of browsers' sessions and the cookie's form: bounded, timed, and unmoved by whatever a header holds.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BrowserSessions, cookieSecret, isCsrfToken } from "../../src/serve/browser-sessions.ts";

const NOW = 1_800_000_000_000;
const HOURS = 3_600_000;

const holder = (keyId: string, expiresAt: number | null = null) => ({
  keyId,
  workspaceId: "acme",
  secretHash: "",
  principal: { kind: "viewer", actor: keyId } as const,
  expiresAt,
  lastUsedAt: null,
});

describe("sessions of browsers", () => {
  test("end after twelve hours, or with their key", () => {
    const browsers = new BrowserSessions();
    const long = browsers.begin(holder("key_1"), NOW);
    const short = browsers.begin(holder("key_2", NOW + HOURS), NOW);
    expect(browsers.find(short.secret, NOW + HOURS - 1)).toBe(short.session);
    expect(browsers.find(short.secret, NOW + HOURS)).toBeNull();
    expect(browsers.find(long.secret, NOW + 12 * HOURS - 1)).toBe(long.session);
    expect(browsers.has(long.session, NOW + 12 * HOURS)).toBe(false);
  });

  test("are at most twenty of one key: the next ends the oldest, and no other key's", () => {
    const browsers = new BrowserSessions();
    const other = browsers.begin(holder("key_2"), NOW);
    const begun = Array.from({ length: 100 }, (_, i) => browsers.begin(holder("key_1"), NOW + i));
    const left = begun.filter(({ secret }) => browsers.find(secret, NOW + 100));
    expect(left).toEqual(begun.slice(-20));
    expect(browsers.find(other.secret, NOW + 100)).toBe(other.session);
  });

  test("share no secret, and hold none but as its hash", () => {
    const browsers = new BrowserSessions();
    const begun = Array.from({ length: 15 }, () => browsers.begin(holder("key_1"), NOW));
    expect(new Set(begun.flatMap(({ secret, session }) => [secret, session.csrfToken, session.id])).size).toBe(45);
    for (const { secret, session } of begun) expect(JSON.stringify(session)).not.toContain(secret);
  });

  test("know their own CSRF token and no other, and no part of it", () => {
    const browsers = new BrowserSessions();
    const [one, other] = [browsers.begin(holder("a"), NOW).session, browsers.begin(holder("a"), NOW).session];
    expect(isCsrfToken(one, one.csrfToken)).toBe(true);
    for (const wrong of [other.csrfToken, one.csrfToken.slice(1), "", "é", undefined, [one.csrfToken]])
      expect(isCsrfToken(one, wrong)).toBe(false);
  });
});

const SECRET = "s".repeat(43);

describe("the cookie's secret", () => {
  test.each([
    ["alone", `astra_session=${SECRET}`, SECRET],
    ["among others", `a=b; astra_session=${SECRET}; astra_session_x=1`, SECRET],
    ["not there", "a=b; xastra_session=1; =; ;;", undefined],
    ["no cookie at all", undefined, undefined],
    ["twice", `astra_session=${SECRET}; astra_session=${SECRET}`, ""],
    ["in quotes", `astra_session="${SECRET}"`, ""],
    ["too short", "astra_session=abc", ""],
    ["too long", `astra_session=${SECRET}s`, ""],
    ["hidden behind another", `astra_session=a=${SECRET}`, SECRET],
  ])("%s", (_, header, expected) => {
    expect(cookieSecret(header)).toBe(expected);
  });

  test("is found in any header in no time, without a fault", () => {
    const part = fc.constantFrom("astra_session", "=", ";", " ", '"', SECRET, "\t", "é", "%");
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 60 }).map((parts) => parts.join("")),
        (header) => {
          expect(cookieSecret(header) ?? "").toMatch(/^([\w-]{43})?$/);
        },
      ),
    );
    const began = performance.now();
    cookieSecret("astra_session=".repeat(1_200));
    cookieSecret(`astra_session=${"=".repeat(16_000)}`);
    cookieSecret(";".repeat(16_000));
    expect(performance.now() - began).toBeLessThan(50);
  });
});
