// Fields that the hooks of several clients give, read strictly: what is not understood is not let through.
import { z } from "zod";
import { MeterFault } from "./meter-fault.ts";
import { modelName } from "./safe-names.ts";

/** Ids that clients make; one is a part of a path too. */
export const sessionId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/);

/** Empty and null both say that there is none. */
export const textOrNone = z
  .string()
  .nullish()
  .transform((given) => given || null);

export const modelOrNone = textOrNone.transform((given) => given && modelName(given));

export function readInput<Shape extends z.ZodType>(shape: Shape, raw: unknown): z.output<Shape> {
  const { success, data } = shape.safeParse(raw);
  if (!success) throw new MeterFault("hook_input");
  return data;
}

/** The event of an input that may be anything else. */
export function eventOf(raw: unknown): unknown {
  return z.object({ hook_event_name: z.unknown() }).safeParse(raw).data?.hook_event_name;
}
