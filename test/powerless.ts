// Running a program that file modes bind: the superuser reads and writes everything, so it gives that power up first.

/** A command and its arguments for a child process; without the superuser's right to pass over modes if we have it. */
export function powerless(command: string, args: readonly string[]): [command: string, args: string[]] {
  if (process.getuid?.() !== 0) return [command, [...args]];
  const without = "-dac_override,-dac_read_search";
  return ["setpriv", [`--bounding-set=${without}`, `--inh-caps=${without}`, command, ...args]];
}
