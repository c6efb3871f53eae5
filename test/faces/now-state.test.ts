// What streams are told of get_now's answers: whoever merges what it hears has the newest state, whenever it listened.
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Mark, NowState } from "../../src/faces/dashboard/now-state.ts";

type Told = { at: string; a: number; b: number; feed?: number[]; feed_left_out?: number; feed_cursor?: string };

/** One answer after the other: sections that change or do not, charges by number, some of them left out. */
const answers = fc.array(
  fc.record({
    a: fc.nat(2),
    b: fc.nat(1),
    shown: fc.nat(8),
    leftOut: fc.constantFrom(0, 0, 0, 40),
    reads: fc.boolean(),
  }),
  { minLength: 1, maxLength: 40 },
);

test("a stream that reads now and then has every section as it is, and each charge once or in the count", () => {
  fc.assert(
    fc.property(answers, (steps) => {
      const state = new NowState();
      const page: { mark: Mark | null; merged: Partial<Told>; heard: number[]; leftOut: number } = {
        mark: null,
        merged: {},
        heard: [],
        leftOut: 0,
      };
      let last = 0;
      let from = 0;
      steps.forEach(({ a, b, shown, leftOut, reads }, i) => {
        last += leftOut + shown;
        const feed = Array.from({ length: shown }, (_, j) => last - shown + 1 + j);
        const rest = { feed_cursor: String(last), feed_left_out: leftOut, feed_hidden: false };
        state.take({ at: String(i), a, b, feed, ...rest });
        expect(state.after).toEqual({ after: String(last) });
        if (!reads && i < steps.length - 1) return;
        const isFirst = page.mark === null;
        const news = page.mark === null ? state.everything() : state.since(page.mark);
        if (news) {
          const told = JSON.parse(news.data) as Told;
          page.merged = { ...page.merged, ...told };
          page.mark = news.mark;
          page.heard.push(...(told.feed ?? []));
          if (isFirst) from = last - (told.feed?.length ?? 0);
          page.leftOut += told.feed_left_out ?? 0;
          expect(told.feed_cursor ?? String(last)).toBe(String(last));
        }
        expect(page.merged).toMatchObject({ a, b });
        expect(page.heard).toEqual([...new Set(page.heard)].toSorted((x, y) => x - y));
        expect(page.heard.length + page.leftOut).toBe(last - from);
      });
      expect(state.since(page.mark as Mark)).toBeNull();
    }),
  );
});

test("that only the time went by is no news", () => {
  const state = new NowState();
  const answer = { feed: [], feed_cursor: "0", feed_left_out: 0, feed_hidden: false, open_sessions: 0 };
  state.take({ at: "1", ...answer });
  const { mark } = state.everything();
  state.take({ at: "2", ...answer });
  expect(state.since(mark)).toBeNull();
  state.take({ at: "3", ...answer, open_sessions: 1 });
  expect(JSON.parse(state.since(mark)?.data ?? "")).toEqual({ at: "3", open_sessions: 1 });
});

test("charges that a policy hides from now on are shown to nobody who comes later", () => {
  const state = new NowState();
  state.take({ at: "1", feed: [1, 2], feed_cursor: "2", feed_left_out: 0, feed_hidden: false });
  state.take({ at: "2", feed: [], feed_cursor: "0", feed_left_out: 0, feed_hidden: true });
  expect(JSON.parse(state.everything().data)).toMatchObject({ feed: [], feed_hidden: true });
  expect(state.after).toEqual({});
});
