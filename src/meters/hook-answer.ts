// What a hook answers, in its client's own form: nothing at all when the client may go on.
export type HookAnswer = Readonly<Record<string, unknown>>;

export const GO_ON: HookAnswer = {};
